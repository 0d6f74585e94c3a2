from .history import History as History
from .past import COLUMNS as COLUMNS
from .past import Past as Past
