"""The local engine as a process: `python -m aloi.system.engine MODEL SLOTS CONTEXT` serves until its input closes.

With a fourth word, `embeddings`, it serves those instead of answers: the mean over the tokens of a text. It prints one
line, its address on 127.0.0.1, and expects its key in ALOI_LOCAL_ENGINE_KEY.
"""

import os
import sys
from pathlib import Path

import xllamacpp


def serve(model: str, slots: int, context: int, key: str, *, embeddings: bool = False) -> xllamacpp.Server:
    """Load the model and listen on a free port of 127.0.0.1, with `slots` requests of `context` tokens at once."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = model
    parameters.model_alias = {Path(model).stem}  # its answers would name the folder
    parameters.n_parallel = slots
    parameters.n_ctx = context * slots
    # One thread: threads of one engine wait for each other in a spin, which a busy machine makes very slow. Several
    # engines side by side use the cores as well.
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    parameters.cont_batching = True
    parameters.cache_prompt = True
    parameters.port = 0
    parameters.n_threads_http = slots + 2
    parameters.api_keys = [key] if key else []
    parameters.ui = False
    parameters.offline = True
    if embeddings:
        parameters.embedding = True
        parameters.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        # A text is embedded in one batch, whatever its length.
        parameters.n_batch = parameters.n_ubatch = context
    return xllamacpp.Server(parameters)


def main() -> None:
    """Serve until standard input closes."""
    model, slots, context, *serves = sys.argv[1:]
    key = os.environ.get("ALOI_LOCAL_ENGINE_KEY", "")
    server = serve(model, int(slots), int(context), key, embeddings=serves == ["embeddings"])
    print(server.listening_address, flush=True)  # noqa: T201 - the one line that the parent waits for
    sys.stdin.read()


if __name__ == "__main__":
    main()
