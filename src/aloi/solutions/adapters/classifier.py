"""Text classifiers in the Hugging Face format, kept in a folder: Llama Prompt Guard 2 and the like."""

from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from aloi.errors import AskerError
from aloi.solutions.adapters.extras import edition, needed
from aloi.solutions.guard import Allow, Block, Ruling
from aloi.solutions.options import Options
from aloi.system.messages import Message, Role
from aloi.translation import N_

EXTRA = "transformers"
WHAT = N_("the guard text-classifier")
CHARACTERS = 100_000


class TextClassifierOptions(Options, frozen=True, kw_only=True):
    """`model` is a folder with config, tokenizer and safetensors; `label` is the class that is stopped.

    A text is read in windows of `window` tokens, half over half, and scores as its worst window. `weights` pins the
    SHA-256 of `model.safetensors`, as `sha256:<hex>`.
    """

    model: Annotated[str, Meta(min_length=1)]
    label: str = ""
    threshold: Annotated[float, Meta(gt=0, le=1)] = 0.5
    window: Annotated[int, Meta(ge=16, le=8192)] = 512
    weights: Annotated[str, Meta(pattern=r"^(sha256:[0-9a-f]{64})?$")] = ""
    sources: tuple[Literal["user", "document", "tool"], ...] = ("user",)


class TextClassifier:
    """Stop a text whose probability of one class reaches the threshold. Only files of the folder are read."""

    version: ClassVar[str] = edition("1", "transformers")
    tables: ClassVar[tuple[str, ...]] = ()
    Options: ClassVar[type[Options]] = TextClassifierOptions

    def __init__(self, options: TextClassifierOptions) -> None:
        self.roles: frozenset[Role] = frozenset(options.sources)
        self._options = options
        self._torch = needed("torch", WHAT, EXTRA)
        transformers = needed("transformers", WHAT, EXTRA)
        folder = _folder(options)
        try:
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self._model = transformers.AutoModelForSequenceClassification.from_pretrained(
                folder, local_files_only=True, use_safetensors=True
            ).eval()
        except (OSError, ValueError, KeyError) as error:
            raise AskerError(
                N_("cannot read the classifier in {folder}: {problem}"),
                remedy=N_("give a folder with config.json, the tokenizer and model.safetensors"),
                folder=folder,
                problem=str(error).partition("\n")[0][:200],
            ) from error
        self._class = self._index(options.label)

    def _index(self, label: str) -> int:
        labels: dict[int, str] = self._model.config.id2label
        if not label:
            return max(labels)
        for index, name in labels.items():
            if name.casefold() == label.casefold():
                return int(index)
        raise AskerError(
            N_("the classifier has no label {got}; it has: {known}"),
            remedy=N_("name one of them as `label`"),
            got=label,
            known=", ".join(labels.values()),
        )

    def screen(self, message: Message) -> Ruling:
        if len(message.content) > CHARACTERS:
            return Block(reason="too-long-to-classify")
        score = self._score(message.content)
        if score >= self._options.threshold:
            return Block(reason="classified", score=score)
        return Allow(score=score)

    def _score(self, text: str) -> float:
        """The highest probability of the class over all windows."""
        read = self._tokenizer(
            text.encode("utf-8", "replace").decode(),  # half a surrogate pair is no text to a tokenizer
            truncation=True,
            max_length=self._options.window,
            stride=self._options.window // 4,
            return_overflowing_tokens=True,
            padding=True,
            return_tensors="pt",
        )
        known = {name: read[name] for name in ("input_ids", "attention_mask", "token_type_ids") if name in read}
        with self._torch.inference_mode():
            chances: Any = self._model(**known).logits.softmax(-1)[:, self._class]
        return float(chances.max())


def _folder(options: TextClassifierOptions) -> Path:
    folder = Path(options.model).expanduser()
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise AskerError(
            N_("there is no model.safetensors in {folder}, and nothing is downloaded unasked"),
            remedy=N_("save the model into a folder, and name the folder as `model`"),
            folder=folder,
        )
    if options.weights:
        with weights.open("rb") as file:
            digest = sha256()
            while block := file.read(1 << 20):
                digest.update(block)
        if (got := f"sha256:{digest.hexdigest()}") != options.weights:
            raise AskerError(
                N_("{file} has digest {got}, expected {expected}"),
                remedy=N_("give the weights that were measured, or measure these and pin their digest"),
                file=weights,
                got=got,
                expected=options.weights,
            )
    return folder
