"""Lexicon: how much joy or anger a word, emote or emoji carries, from -3 to +3.

Small on purpose: common English of live chats, and the emotes that carry most of the feeling there.
"""

from typing import Final

_WORDS_BY_WEIGHT: Final = {
    3: """amazing awesome beautiful best brilliant epic excellent fantastic incredible insane
        legendary love masterpiece perfect phenomenal wonderful""",
    2: """beast clean cool cracked crazy enjoy excited fun funny glad goat great happy hype
        impressive lovely nice poggers sick smooth stunning sweet thanks unreal win winner wins won
        wow""",
    1: """agree calm clever cute easy fair fine good haha hehe hello hey hi interesting lmao lol ok
        okay pog pretty ready right solid thank welcome well yay yes""",
    -1: """alone bored boring confused late lost meh miss missed no nope odd slow sorry stuck sus
        tired unlucky weird whatever wrong""",
    -2: """angry annoying awkward bad broken bug cheater clown cringe dead fail failed fake gross
        lag laggy lose loser mad pain poor rip sad scared stupid throw throwing ugly upset worse
        yikes""",
    -3: """awful cancer disaster disgusting garbage hate horrible pathetic scam shit terrible toxic
        trash useless worst""",
}

_EMOTES_BY_WEIGHT: Final = {
    3: "PogChamp HYPERS PogU POGGERS \U0001f60d \u2764 \U0001f389 \U0001f525",
    2: """Pog KEKW OMEGALUL LULW LUL HeyGuys BloodTrail FeelsGoodMan peepoHappy SeemsGood CatJAM
        PartyTime GlitchCat \U0001f602 \U0001f604 \U0001f44d \U0001f44f""",
    1: """Kappa EZ GG GGWP Clap 4Head VoHiYo PogBones o7 Prayge Kreygasm 5Head EleGiggle
        \U0001f44b \U0001f642""",
    -1: """monkaS monkaW monkaHmm WutFace DansGame FailFish Jebaited SwiftRage ResidentSleeper
        Copium \U0001f614 \U0001f610""",
    -2: """NotLikeThis BibleThump FeelsBadMan Sadge peepoSad PepeHands Madge PJSalt BabyRage RIP
        \U0001f622 \U0001f62d \U0001f44e""",
    -3: "\U0001f621 \U0001f92c \U0001f494",
}


def _invert(by_weight: dict[int, str]) -> dict[str, int]:
    return {word: weight for weight, words in by_weight.items() for word in words.split()}


WORDS: Final = _invert(_WORDS_BY_WEIGHT)
"""Lower case; matched whatever the case and the punctuation around the word."""

EMOTES: Final = _invert(_EMOTES_BY_WEIGHT)
"""Matched letter by letter: ``Pog`` is an emote, ``pog`` is a word."""
