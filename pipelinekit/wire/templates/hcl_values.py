"""Evaluates expressions of Terraform as far as the files tell."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from pipelinekit.model.noun import Noun
from pipelinekit.tools.documents.document import DocumentError
from pipelinekit.wire.templates.gaps import Gaps
from pipelinekit.wire.templates.hcl import LARGEST, Source, Tree, expression, is_tree, line_of
from pipelinekit.wire.templates.hcl_functions import called
from pipelinekit.wire.templates.hcl_parts import (
    Step,
    arguments,
    calculated,
    heredoc_text,
    items,
    loop,
    object_items,
    parts,
    trees,
    unescaped,
    walk,
)
from pipelinekit.wire.templates.hcl_types import (
    NotEvaluated,
    Refused,
    Unknown,
    Value,
    number,
    text_of,
    truth,
)

MOST_STEPS: Final = 200_000
DEEPEST: Final = 120


class Scope(Noun):
    """What names mean where an expression stands.

    Attributes:
        source: The file it stands in.
        names: Values of `each`, `count`, iterators and loops.
    """

    source: Source
    names: Mapping[str, Value] = {}

    def with_names(self, **names: Value) -> "Scope":
        """Give a scope with more names."""
        return Scope(self.source, {**self.names, **names})


Look: TypeAlias = Callable[[str, tuple[Step, ...], Scope], Value]


class Evaluator:
    """Evaluates expressions.

    Args:
        gaps: Writes placeholders for what is not known.
        look: Gives the value of a reference, such as `var` with the step `name`.
        files: Gives the text of a file that is named; None where there is none.
    """

    def __init__(self, gaps: Gaps, look: Look, files: Callable[[str], str | None]) -> None:
        self._gaps = gaps
        self._look = look
        self._files = files
        self._steps = 0
        self._depth = 0

    def value(self, tree: Tree, scope: Scope) -> Value:
        """Evaluate an expression.

        Args:
            tree: The expression.
            scope: What names mean there.

        Raises:
            DocumentError: It cannot be evaluated, or takes too long.
        """
        self._steps += 1
        self._depth += 1
        if self._steps > MOST_STEPS or self._depth > DEEPEST:
            raise scope.source.error(tree, "expressions that are too large", "make them simpler")
        try:
            found = self._evaluate(tree, scope)
        except Refused as refused:
            raise scope.source.error(tree, refused.found, refused.expected) from None
        finally:
            self._depth -= 1
        if isinstance(found, str) and len(found) > LARGEST:
            raise scope.source.error(tree, f"more than {LARGEST} characters", "make it smaller")
        return found

    def text(self, value: Value, why: str = "it is empty") -> str:
        """Write a value as text, as templates do."""
        if isinstance(value, Unknown):
            return self._gaps.text(value.key, value.why)
        if value is None or isinstance(value, dict | list):
            raise Refused(f"a template with a value that is no text: {why}", "use jsonencode")
        return text_of(value)

    def settled(self, value: Value) -> Value:
        """Write placeholders for everything in a value that is not known."""
        match value:
            case Unknown():
                return self._gaps.text(value.key, value.why)
            case dict():
                return {key: self.settled(each) for key, each in value.items()}
            case list():
                return [self.settled(each) for each in value]
            case _:
                return value

    def _evaluate(self, tree: Tree, scope: Scope) -> Value:
        kind = str(tree.data)
        handler = _HANDLERS.get(kind)
        if handler is None:
            return Unknown(scope.source.words(tree), f"{kind} is not evaluated here")
        return handler(self, tree, scope)

    # ------------------------------------------------------------------ single values

    def term(self, tree: Tree, scope: Scope) -> Value:
        """Evaluate a term, perhaps in brackets."""
        (inner,) = trees(tree)
        return self.value(inner, scope)

    def number(self, tree: Tree, _scope: Scope) -> Value:
        """Evaluate a number."""
        return number(str(tree.children[0]))

    def word(self, tree: Tree, _scope: Scope) -> Value:
        """Evaluate `true`, `false` or `null`."""
        return {"true": True, "false": False}.get(str(tree.children[0]))

    def string(self, tree: Tree, scope: Scope) -> Value:
        """Evaluate a quoted template."""
        parts = [part.children[0] for part in tree.children[1:-1]]
        if len(parts) == 1 and is_tree(parts[0]) and parts[0].data == "interpolation":
            return self.term(parts[0], scope)
        return "".join(self._part(part, scope) for part in parts)

    def _part(self, part: Tree, scope: Scope) -> str:
        if is_tree(part):
            if part.data != "interpolation":
                raise Refused("a template directive %{ }", "write it with a conditional")
            value = self.term(part, scope)
            return self.text(value, scope.source.words(part))
        if str(part).startswith(("$${", "%%{")):
            return str(part)[1:]
        return unescaped(str(part))

    def heredoc(self, tree: Tree, scope: Scope) -> Value:
        """Evaluate `<<EOT`."""
        text = heredoc_text(str(tree.children[0]))
        return self.template(text, scope, line_of(tree) + 1)

    def template(self, text: str, scope: Scope, line: int = 1) -> str:
        """Evaluate a template that is not in quotes.

        Args:
            text: The template.
            scope: What names mean in it.
            line: Where it begins, for errors.

        Raises:
            DocumentError: An expression in it is none.
        """
        if "%{" in text.replace("%%{", ""):
            raise Refused("a template directive %{ }", "write it with a conditional")
        found = ""
        for part, is_expression in parts(text):
            if not is_expression:
                found += part
                continue
            tree = expression(part, scope.source, line + found.count("\n"))
            inner = Source(scope.source.name, f"x = {part}")
            found += self.text(self.value(tree, Scope(inner, scope.names)), part)
        return found

    # ------------------------------------------------------------------ collections

    def sequence(self, tree: Tree, scope: Scope) -> Value:
        """Evaluate `[ ... ]`."""
        return [self.value(each, scope) for each in trees(tree)]

    def table(self, tree: Tree, scope: Scope) -> Value:
        """Evaluate `{ ... }`."""
        return {self.key(key, scope): self.value(each, scope) for key, each in object_items(tree)}

    def key(self, tree: Tree, scope: Scope) -> str:
        """Evaluate the key of an object: a bare word stands for itself."""
        (inner,) = trees(tree)
        if inner.data == "keyword":
            return str(inner.children[0])
        words = list(trees(inner))
        if (
            len(words) == 1
            and words[0].data in {"identifier", "literal_value"}
            and len(inner.children) == 1
        ):
            return str(words[0].children[0])
        return self.text(self.value(inner, scope))

    def each_of_list(self, tree: Tree, scope: Scope) -> Value:
        """Evaluate `[for ... : ...]`."""
        body, condition = loop(tree, 1)
        found = self._loop(tree, scope)
        if isinstance(found, Unknown):
            return found
        return [self.value(body[0], each) for each in found if self._kept(condition, each)]

    def each_of_object(self, tree: Tree, scope: Scope) -> Value:
        """Evaluate `{for ... : ... => ...}`."""
        (key, value), condition = loop(tree, 2)
        scopes = self._loop(tree, scope)
        if isinstance(scopes, Unknown):
            return scopes
        grouped = any(str(each) == "..." for each in tree.children)
        found: dict[str, Value] = {}
        for each in scopes:
            if not self._kept(condition, each):
                continue
            name, one = self.text(self.value(key, each)), self.value(value, each)
            if grouped:
                before = found.get(name, [])
                found[name] = [*(before if isinstance(before, list) else []), one]
            else:
                found[name] = one
        return found

    def _kept(self, condition: Tree | None, scope: Scope) -> bool:
        if condition is None:
            return True
        value = self.value(next(iter(trees(condition))), scope)
        if isinstance(value, Unknown):
            raise Refused(
                f"a loop that depends on {value.key}", f"give --parameter {value.key}=VALUE"
            )
        return truth(value)

    def _loop(self, tree: Tree, scope: Scope) -> list[Scope] | Unknown:
        intro = next(each for each in trees(tree) if each.data == "for_intro")
        *names, over = trees(intro)
        words = [str(each.children[0]) for each in names]
        value = self.value(over, scope)
        if isinstance(value, Unknown):
            return value
        pairs = list(items(value))
        if len(words) == 1:
            return [scope.with_names(**{words[0]: each}) for _, each in pairs]
        return [scope.with_names(**{words[0]: key, words[1]: each}) for key, each in pairs]

    # ------------------------------------------------------------------ operators

    def conditional(self, tree: Tree, scope: Scope) -> Value:
        """Evaluate `a ? b : c`; equal answers do not depend on what is asked."""
        asked, one, other = trees(tree)
        value = self.value(asked, scope)
        if not isinstance(value, Unknown):
            return self.value(one if truth(value) else other, scope)
        answers = self.value(one, scope), self.value(other, scope)
        return answers[0] if answers[0] == answers[1] else value

    def binary(self, tree: Tree, scope: Scope) -> Value:
        """Evaluate an operation on two values."""
        one, rest = list(trees(tree))[:2]
        operator, other = trees(rest)
        left, right = self.value(one, scope), self.value(other, scope)
        sign = str(operator.children[0])
        for each in (left, right):
            if isinstance(each, Unknown):
                return each
        return calculated(sign, left, right)

    def unary(self, tree: Tree, scope: Scope) -> Value:
        """Evaluate `-a` or `!a`."""
        value = self.value(next(iter(trees(tree))), scope)
        if isinstance(value, Unknown):
            return value
        if str(tree.children[0]) == "!":
            return not truth(value)
        return -number(value)

    # ------------------------------------------------------------------ references and calls

    def reference(self, tree: Tree, scope: Scope) -> Value:
        """Evaluate `a.b[0]["c"]`."""
        steps: list[Step] = []
        while tree.data != "identifier":
            base, *rest = trees(tree)
            if not rest:
                if base.data in _REFERENCES:
                    tree = base
                    continue
                return walk(self.value(tree, scope), steps)
            step = self._step(rest[0], scope)
            if isinstance(step, Unknown):
                return step
            steps.insert(0, step)
            tree = base
        return self._look(str(tree.children[0]), tuple(steps), scope)

    def _step(self, tree: Tree, scope: Scope) -> "Step | Unknown":
        (inner,) = trees(tree) or (tree.children[-1],)
        if tree.data == "get_attr":
            return str(inner.children[0])
        if tree.data == "short_index":
            return int(inner)
        value = self.value(inner, scope)
        if isinstance(value, str | int | Unknown):
            return value
        raise Refused("an index that is neither a number nor text", "write one of these")

    def splat(self, tree: Tree, scope: Scope) -> Value:
        """Evaluate `a[*].b`."""
        base, rest = trees(tree)
        value = self.value(base, scope)
        if isinstance(value, Unknown):
            return value
        found = value if isinstance(value, list) else [] if value is None else [value]
        steps = [self._step(each, scope) for each in trees(rest)]
        return [
            walk(each, [one for one in steps if not isinstance(one, Unknown)]) for each in found
        ]

    def call(self, tree: Tree, scope: Scope) -> Value:
        """Evaluate a call of a function."""
        name = str(next(iter(trees(tree))).children[0])
        given = arguments(tree)
        if name in {"try", "can"}:
            return self._tried(name, given, scope)
        if name in {"file", "templatefile"}:
            return self._file(name, given, scope)
        values = [self.value(each, scope) for each in given]
        if any(str(each) == "..." for found in trees(tree) for each in found.children):
            last = values.pop()
            if isinstance(last, Unknown):
                return last
            values += last if isinstance(last, list) else []
        try:
            return called(name, self, values)
        except NotEvaluated as what:
            return Unknown(scope.source.words(tree), f"{what} is not evaluated here")

    def _tried(self, name: str, given: list[Tree], scope: Scope) -> Value:
        for each in given:
            try:
                value = self.value(each, scope)
            except DocumentError:
                continue
            return True if name == "can" else value
        if name == "can":
            return False
        raise Refused("a call of try, all of whose arguments fail", "add one that does not")

    def _file(self, name: str, paths: list[Tree], scope: Scope) -> Value:
        if not paths:
            raise Refused(f"a call of {name} without a path", "name a file")
        path, *rest = (self.value(each, scope) for each in paths)
        if isinstance(path, Unknown):
            return path
        text = self._files(str(path))
        if text is None:
            return Unknown(f"{name}({path})", f"the file {path} is not there")
        if name == "file":
            return text
        given = rest[0] if rest else {}
        if not isinstance(given, dict):
            return Unknown(f"{name}({path})", "what it is to be filled with is not known")
        return self.template(text, Scope(Source(str(path), text), given))


_Handler: TypeAlias = Callable[[Evaluator, Tree, Scope], Value]
_REFERENCES: Final = ("identifier", "get_attr_expr_term", "index_expr_term", "expr_term")
_HANDLERS: Final[Mapping[str, _Handler]] = {
    "expr_term": Evaluator.term,
    "int_lit": Evaluator.number,
    "float_lit": Evaluator.number,
    "literal_value": Evaluator.word,
    "string": Evaluator.string,
    "heredoc_template": Evaluator.heredoc,
    "heredoc_template_trim": Evaluator.heredoc,
    "tuple": Evaluator.sequence,
    "object": Evaluator.table,
    "for_tuple_expr": Evaluator.each_of_list,
    "for_object_expr": Evaluator.each_of_object,
    "conditional": Evaluator.conditional,
    "binary_op": Evaluator.binary,
    "unary_op": Evaluator.unary,
    "identifier": Evaluator.reference,
    "get_attr_expr_term": Evaluator.reference,
    "index_expr_term": Evaluator.reference,
    "attr_splat_expr_term": Evaluator.splat,
    "full_splat_expr_term": Evaluator.splat,
    "function_call": Evaluator.call,
}
