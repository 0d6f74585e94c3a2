from .history import History as History
