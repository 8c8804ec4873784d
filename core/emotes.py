"""Emotes: which words of a message are emotes, found in columns.

A sender that knows its emotes names them in the event; else they are found here, in the text.
"""

from typing import Final

import polars as pl

KNOWN_EMOTES: Final = frozenset(
    [
        "4Head",
        "5Head",
        "AngelThump",
        "BabyRage",
        "BibleThump",
        "Bedge",
        "BlessRNG",
        "BloodTrail",
        "BOP",
        "BrokeBack",
        "CatJAM",
        "Clap",
        "CoolStoryBob",
        "Copium",
        "COPIUM",
        "CorgiDerp",
        "CurseLit",
        "DansGame",
        "DatSheffy",
        "EleGiggle",
        "EZ",
        "FailFish",
        "FeelsBadMan",
        "FeelsGoodMan",
        "FeelsStrongMan",
        "FootYellow",
        "FrankerZ",
        "GayPride",
        "GG",
        "GGWP",
        "gachiBASS",
        "GivePLZ",
        "GlitchCat",
        "HeyGuys",
        "HolidaySanta",
        "HotPokket",
        "HYPERCLAP",
        "HYPERS",
        "Jebaited",
        "KappaPride",
        "Kappa",
        "KappaRoss",
        "Keepo",
        "KEKW",
        "KEKWait",
        "Kreygasm",
        "LULW",
        "LUL",
        "LuvSign",
        "Madge",
        "MonkaW",
        "monkaS",
        "monkaW",
        "monkaHmm",
        "MrDestructoid",
        "NotLikeThis",
        "OMEGALUL",
        "OSFrog",
        "PartyTime",
        "pepeD",
        "PepeHands",
        "PepeLaugh",
        "peepoClap",
        "peepoHappy",
        "peepoSad",
        "PJSalt",
        "PogBones",
        "PogChamp",
        "PogU",
        "Pog",
        "POGGERS",
        "PogNorth",
        "PowerUpL",
        "PowerUpR",
        "PunchTrees",
        "Prayge",
        "ResidentSleeper",
        "RIP",
        "Sadge",
        "SeemsGood",
        "SMOrc",
        "StinkyCheese",
        "SwiftRage",
        "TakeNRG",
        "TBAngel",
        "TheIlluminati",
        "TriHard",
        "TwitchUnity",
        "VoHiYo",
        "VoteNay",
        "VoteYea",
        "WidePeepoHappy",
        "WutFace",
        "catJAM",
        "widepeepoHappy",
        "o7",
    ]
)

EMOJI_PATTERN: Final = (
    "[\U0001f300-\U0001f5ff\U0001f600-\U0001f64f\U0001f680-\U0001f6ff\U0001f900-\U0001f9ff"
    "\U0001fa70-\U0001faff☀-➿]"
)
"""One emoji; variation selectors, joiners and skin tones do not count as emoji of their own."""

_SKIN_TONES: Final = "[\U0001f3fb-\U0001f3ff]"
_KNOWN: Final = pl.Series(sorted(KNOWN_EMOTES))


def find_emotes(text: pl.Expr) -> pl.Expr:
    """Return the emotes of each text: known words, then emoji, repeats included."""
    words = text.str.split(" ").list.eval(pl.element().filter(pl.element().is_in(_KNOWN.implode())))
    emoji = text.str.replace_all(_SKIN_TONES, "").str.extract_all(EMOJI_PATTERN)
    return pl.concat_list(words, emoji)
