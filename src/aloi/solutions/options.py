"""What a remedy can be told: options are checked once, at the door, and every fault is listed."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from aloi.errors import Fault, InvalidFile
from aloi.translation import N_

Texts = tuple[Annotated[str, Meta(min_length=1)], ...]
# Values of this type never leave the process: a public identity holds their number only, because the digest of a
# short secret can be inverted by trying.
SecretTexts = tuple[Annotated[str, Meta(min_length=4, max_length=4096, extra={"secret": True})], ...]
SecretText = Annotated[str, Meta(max_length=4096, extra={"secret": True})]
LongSecret = Annotated[str, Meta(max_length=400_000, extra={"secret": True, "long": True})]


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every remedy's options. `problem` may refuse a combination of values that are each well formed."""

    def problem(self) -> tuple[str, str] | None:
        """The option at fault and a sentence, or None."""
        return None

    def problems(self) -> Iterator[tuple[str, str]]:
        """Every such fault; that of `problem` where a kind of options knows no others."""
        if (problem := self.problem()) is not None:
            yield problem


OptionsType = TypeVar("OptionsType", bound=Options)


class InvalidOptions(InvalidFile):
    """A remedy was given options that it cannot take; all faults are listed."""


def faults(kind: type[Struct], given: Mapping[str, Any], path: str) -> Iterator[Fault]:
    """Every fault of the options given, each with its path below `path`."""
    hints = get_type_hints(kind, include_extras=True)
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name in given:
        if name not in fields:
            yield _unknown(name, fields, path)
    for name, field in fields.items():
        if name not in given:
            if field.required:
                yield Fault(N_("{option} is missing"), path=f"{path}.{name}", remedy=N_("add it"), option=name)
            continue
        yield from _value_faults(hints[field.name], given[name], name, f"{path}.{name}")


def _value_faults(hint: Any, value: Any, option: str, path: str) -> Iterator[Fault]:
    """What is wrong with one value. A table of sections is read section by section, so that each tells its faults."""
    inner = get_args(hint)[-1] if get_origin(hint) is dict else None
    if isinstance(inner, type) and issubclass(inner, Struct) and isinstance(value, Mapping):
        for name, section in value.items():
            at = f"{path}.{name}"
            if isinstance(section, Mapping):
                yield from faults(inner, section, at)
            else:
                yield Fault(N_("{option}: {problem}"), path=at, option=str(name), problem="Expected `object`")
        return
    try:
        msgspec.convert(value, hint, strict=True)
    except msgspec.ValidationError as error:
        # msgspec names types, bounds, places and unknown enum members, never a text: a secret cannot be shown here.
        yield Fault(N_("{option}: {problem}"), path=path, option=option, problem=str(error))


def _unknown(name: object, fields: Mapping[str, object], path: str) -> Fault:
    nearest = ", ".join(get_close_matches(str(name), list(fields), n=3, cutoff=0.5) or sorted(fields)) or "-"
    return Fault(
        N_("unknown option {option}"),
        path=f"{path}.{name}",
        remedy=N_("nearest known: {nearest}"),
        option=name,
        nearest=nearest,
    )


def read(kind: type[OptionsType], given: Mapping[str, Any], path: str) -> OptionsType:
    """Options of one remedy. Raises `InvalidOptions` with every fault."""
    found = list(faults(kind, given, path))
    if not found:
        options = msgspec.convert(dict(given), kind, strict=True)
        found = [Fault(sentence, path=f"{path}.{option}", option=option) for option, sentence in options.problems()]
        if not found:
            return options
    raise InvalidOptions(path, found)


def public(options: Options) -> dict[str, Any]:
    """The options as a digest may cover them: secrets are replaced by how many there are."""
    hints = get_type_hints(type(options), include_extras=True)
    return {
        field.encode_name: _public(getattr(options, field.name), hints[field.name])
        for field in msgspec.structs.fields(type(options))
    }


def _public(value: Any, hint: Any) -> Any:
    if hint == SecretTexts:
        return {"secrets": len(value)}
    if hint in (SecretText, LongSecret):
        return {"secrets": int(bool(value))}
    return msgspec.to_builtins(value)
