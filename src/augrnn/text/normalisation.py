"""One spelling for each text: what looks the same is the same characters, before it is cut into words."""

import unicodedata

import regex

RULES = 1
"""The version of these rules. A checkpoint keeps it beside its vocabulary."""

# Default-ignorable characters show nothing: byte order marks, soft hyphens, zero-width spaces, variation selectors,
# marks of direction. Joiners are kept where they change what is read: between the parts of a word in Arabic script
# (Persian), after the virama of an Indic script, and inside an emoji.
_INVISIBLE = regex.compile(
    r"""(?: (?<=[\p{Script=Arabic}\p{Script=Syriac}]\p{M}*) \u200C (?=[\p{Script=Arabic}\p{Script=Syriac}])
          | (?<=\p{ccc=9}) [\u200C\u200D]
          | (?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}]\uFE0F?) \u200D (?=\p{Extended_Pictographic})
        ) (*SKIP)(*FAIL)
      | \p{Default_Ignorable_Code_Point}""",
    regex.VERBOSE,
)

_CONTROL = regex.compile(r"[\p{Cc}--\s]", regex.V1)

_DOTLESS = {"tr", "az"}
"""Languages in which the capital of the dotted i has a dot, and that of the dotless one has none."""


def primary(language: str) -> str:
    """The language itself of a code that may name a script or country too: "pt" of "pt-BR"."""
    return language.replace("_", "-").partition("-")[0].lower()


def normalised(text: str, language: str, lowercase: bool = True) -> str:
    """A line in composed characters (NFC), without invisible ones, white space as one space, lower case.

    Args:
      text: a raw line.
      language: its code; Turkish and Azeri have their own lower case of I.
      lowercase: False leaves the case as it is.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    text = _CONTROL.sub("", text)
    if lowercase:
        if primary(language) in _DOTLESS:
            text = text.replace("I", "ı")
        text = unicodedata.normalize("NFC", text.replace("İ", "i").lower())
    return " ".join(text.split())
