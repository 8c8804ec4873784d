"""Chat: slang, emotes, emoticons and emoji, and the feeling each of them carries, from -3 to +3.

Slang is matched as English is. Emotes and emoticons are matched letter by letter: ``Pog`` is an
emote, ``pog`` is a word. Irony weighs nothing (``Kappa``), nor does what goes with any mood.
Used by ``core.vocabulary``.
"""

from typing import Final

SLANG_BY_WEIGHT: Final = {
    3: """
        bestest goat goated ilysm masterclass peak pogchamp poggers
        """,
    2: """
        adorbs ayy banger bangers based beast beastmode blessup bussin clutch clutched
        cracked fav fave fire gg ggez ggs ggwp goodstuff grats gratz hype hyped hypee ilu
        ily insane lesgo lesgoo letsgo letsgoo letsgoooo lfg lit lmao lmaoo lmfao nicee
        noice pog pogged poggies pogs pogu rofl sheesh slaps slay slayed thx thxx ty tysm
        tyty tyvm w00t wholesome woo wooho woohoo wooo woot wp xoxo yaas yass yasss yayy
        yeet yippee
        """,
    1: """
        comfi comfy ez haha hahah hahaha hahahah hahahaha hahahahaha heh hehe heheh hehehe
        jaja jajaja kek kekw lmaooo lol lolol lolz lul lulz poggy smol uwu vibe vibes vibing
        wb welc xd yep yess yessir yesss yup
        """,
    -1: """
        bruh buffering cope coping copium dang dced desync disconnect disconnected eh ew eww
        hmph idc jebaited lag lagged lagging laggy lags malding meh mid nah noo nooo nope
        oof ooof pff pfft rekt salty sigh smh stutter stuttering stutters sus tilt tilted
        ugh welp whatever yawn zzz
        """,
    -2: """
        aimbot boosted bot bs cancer cancerous cringey cringy dogwater doomed
        ffs fml griefer griefing hacker hacks inting noob nub pos rigged ripbozo
        ripped sadge scuffed sellout shitter smurfing tf troll trolled trolling
        unfollow unsub unsubbed washed wtf wth yikes
        """,
    -3: """
        bullshit dogshit gtfo horseshit kys stfu
        """,
}

EMOTES_BY_WEIGHT: Final = {
    3: """
        AngelThump BlessRNG FeelsStrongMan HYPERCLAP HYPERS LETSGO LETSGOOO PETTHEPEEPO
        POGGERS POGGIES PagMan PogChamp PogNorth PogU WidePeepoHappy peepoLove
        widepeepoHappy
        """,
    2: """
        BOP BloodTrail COGGERS CatJAM Clap EZ EZY FeelsAmazingMan FeelsGoodMan
        FeelsOkayMan GG GGWP GayPride GivePLZ GlitchCat HeyGuys HolidaySanta KEKW
        KappaPride KonCha LUL LULW LuvHearts LuvPeekR LuvSign OMEGALUL Okayge Pag PartyTime
        PepeLaugh Pog PogBones PogSlide PowerUpL PowerUpR SeemsGood SourPls TBAngel
        TransgenderPride TwitchLit TwitchUnity VIBE VoHiYo bleedPurple blobDance catJAM
        forsenPls peepoClap peepoHappy peepoHey pepeD pepeJAM pepeJAMJAM ratJAM vibePls
        """,
    1: """
        4Head 5Head Bedge COMFY Comfi CoolCat CorgiDerp EleGiggle FrankerZ GoldPLZ
        HACKERMANS HahaDoge HahaLean HahaThink ICANT KEKWait KKona KappaWealth Kreygasm
        MingLee OhMyDog PixelBob Poooound PraiseIt Prayge SMOrc TakeNRG TehePelo VoteYea
        gachiBASS o7 peepoComfy peepoGiggles xqcL
        """,
    0: """
        AYAYA BASED BatChest BrainSlug CoolStoryBob CurseLit DatSheffy
        DinoDance DxCat FootYellow HmmNotes HotPokket Kappa KappaHD KappaRoss Keepo
        MrDestructoid NODDERS OSFrog OpieOP PJSugar PunchTrees SUBprise Squid1
        StinkyCheese Susge ThankEgg TheIlluminati Tomfoolery TriHard WAYTOODANK Wowee
        gachiGASM monkaHmm monkaStare
        """,
    -1: """
        BrokeBack COPIUM Copium DESKCHAN DansGame FailFish FeelsWeirdMan Hopium
        Jebaited MonkaW NOPERS NotATK Pepega PepegaAim PogO ResidentSleeper SwiftRage UnSane
        VoteNay WeirdChamp Weirdge Wokege WutFace YouWHY monkaGIGA monkaS monkaW monkaX
        weirdChamp
        """,
    -2: """
        BabyRage BibleThump Deadge Despairge FeelsBadMan FeelsLagMan FeelsRainMan Madge
        NotLikeThis PJSalt PepeCry PepeHands REEEE RIP ReeferSad SadCat Sadge SadgeCry
        Smadge peepoCry peepoSad pepeRage widepeepoSad
        """,
}

SIGNS_BY_WEIGHT: Final = {
    3: "<3 <33 <333",
    2: ":D :-D =D :'D XD xD XDD xDD XDDD xDDD :DD ^_^ ^^ :3 W Ws \\o/ (: (-: *_*",
    1: ":) :-) =) :)) :))) ;) ;-) ;D :P :p :-P +1 (y) c: :] <o/ 8) B)",
    -1: ":/ :-/ :\\ :-\\ :| :-| -_- >_> -.- :S :s =/ -1 v_v",
    -2: ":( :-( =( :(( :((( :'( ;( ;_; T_T T.T TT ): )-: D: D-: L Ls :[ :c >.< QQ qq",
    -3: ">:( >:-( </3 D:<",
}
"""Emoticons, and the letters that mean winning and losing. Not counted as emotes."""

EMOJI_BY_WEIGHT: Final = {
    3: """
        \u2764 \U0001f389 \U0001f3c6 \U0001f493 \U0001f495 \U0001f496 \U0001f497 \U0001f498
        \U0001f499 \U0001f49a \U0001f49b \U0001f49c \U0001f49d \U0001f49e \U0001f525
        \U0001f5a4 \U0001f60d \U0001f618 \U0001f90d \U0001f90e \U0001f929 \U0001f970
        \U0001f973 \U0001f9e1
        """,
    2: """
        \u2728 \U0001f31f \U0001f38a \U0001f44d \U0001f44f \U0001f451 \U0001f483 \U0001f4aa
        \U0001f4af \U0001f57a \U0001f600 \U0001f601 \U0001f602 \U0001f603 \U0001f604
        \U0001f605 \U0001f606 \U0001f607 \U0001f60a \U0001f60b \U0001f60c \U0001f60e
        \U0001f60f \U0001f638 \U0001f639 \U0001f63b \U0001f64c \U0001f64f \U0001f680
        \U0001f917 \U0001f923 \U0001f947
        """,
    1: """
        \u2600 \u2705 \u270c \U0001f308 \U0001f338 \U0001f339 \U0001f340 \U0001f37b
        \U0001f381 \U0001f3b5 \U0001f3b6 \U0001f44b \U0001f44c \U0001f609 \U0001f61b
        \U0001f61c \U0001f61d \U0001f63a \U0001f642 \U0001f919 \U0001f91d \U0001f91e
        \U0001f92d \U0001fae1
        """,
    -1: """
        \u2639 \u26a0 \u274c \U0001f480 \U0001f610 \U0001f611 \U0001f612 \U0001f613
        \U0001f614 \U0001f615 \U0001f624 \U0001f626 \U0001f627 \U0001f628 \U0001f62c
        \U0001f634 \U0001f641 \U0001f644 \U0001f6a9 \U0001f926 \U0001f971 \U0001f974
        \U0001f97a
        """,
    -2: """
        \U0001f44e \U0001f4a9 \U0001f5d1 \U0001f616 \U0001f61e \U0001f61f \U0001f622
        \U0001f623 \U0001f625 \U0001f629 \U0001f62b \U0001f62d \U0001f630 \U0001f631
        \U0001f635 \U0001f637 \U0001f63f \U0001f640 \U0001f912 \U0001f915 \U0001f921
        \U0001f922
        """,
    -3: """
        \U0001f47f \U0001f494 \U0001f595 \U0001f620 \U0001f621 \U0001f63e \U0001f92c
        \U0001f92e
        """,
}
