"""English: how much joy or anger a word carries, from -3 to +3, and which words change others.

Lower case; matched whatever the case and the punctuation around the word. Inflections are spelled
out: cutting endings off would turn ``caring`` into ``car``. Words with two faces (``hard``,
``well``, ``like``) have the weight of their more frequent one, or none. Used by
``core.vocabulary``.
"""

from typing import Final

WORDS_BY_WEIGHT: Final = {
    3: """
        adore adored adores amazing amazingly astonishing awesome beautiful beautifully best
        bliss blissful breathtaking brilliant brilliantly captivating delight delighted
        delightful delights divine ecstatic epic euphoric excellent exceptional exhilarating
        exquisite extraordinary fabulous fantastic flawless flawlessly glorious gorgeous
        heavenly ideal immaculate incredible ingenious jubilant legendary love loved loves
        loving magical magnificent marvellous marvelous masterful masterfully masterpiece
        mesmerizing miraculous outstanding overjoyed perfect perfection perfectly phenomenal
        priceless remarkable sensational spectacular splendid stellar sublime superb
        superbly terrific thrilled thrilling treasure triumph triumphant unbeatable
        unforgettable wonderful wonderfully wondrous
        """,
    2: """
        admirable admire admired admires affection affectionate amused amusing appealing
        applause appreciate appreciated appreciates appreciation attractive beloved benefit
        benefits better blessed blessing bravo bright celebrate celebrated celebrating
        celebration champ champion champions charm charming cheer cheerful cheering cheers
        cherish clean comfortable comforting commend compelling compliment congrats
        congratulations cool courageous cozy creative dazzling dedicated delicious dope
        eager elegant enchanting encouraged encouraging energetic engaging enjoy enjoyable
        enjoyed enjoying enjoys entertained entertaining enthusiasm enthusiastic excited
        excitement exciting fan fantastically fascinated fascinating favorite favorites
        favourite favourites festive friendly fulfilled fulfilling fun funny generous
        generously genius gift gifted glad gladly good gracious grateful gratitude great
        greatest greatly grin grinning handsome happier happiest happily happiness happy
        heartwarming helpful hero heroes heroic hilarious honored honoured hopeful hug hugs
        impress impressed impresses impressive inspiration inspire inspired inspiring
        invaluable joy joyful joyous kind kindest kindly kindness laugh laughed laughing
        laughs liberating likable lively lovable lovely loyal lucky luxurious merry miracle
        motivated neat nice nicely nicest nourishing optimistic paradise passionate peaceful
        playful pleasant pleasantly pleased pleasing pleasure praise praised praising
        precious pride prosper proud proudly radiant recommend recommended refreshing
        rejoice relaxed relaxing reliable relief relieved respected reward rewarded
        rewarding romantic satisfied satisfying sincere sincerely skilled skillful smart
        smile smiled smiles smiling smooth smoothly soothing sparkling stoked strong
        stunning stylish succeed succeeded succeeds success successful successfully sunshine
        superior supportive sweet sweetest sweetheart talented tasty terrifically thank
        thankful thanks thoughtful thrill trustworthy unreal upbeat uplifting valuable
        vibrant victorious victory vivid warmth welcoming win winner winners winning wins
        wisdom wise won wow yay yummy
        """,
    1: """
        able accept accepted accomplish accomplished accurate achieve achieved achievement
        active adequate advantage adventure affordable agree agreeable agreed agrees alive
        approve approved art authentic balanced bonus brave calm calming capable care cared
        careful caring clear clearly clever comfort confident convenient cooperative correct
        curious cute dear decent deserve deserved deserves desire easier easily easy
        effective efficient elegantly ensure fair faithful familiar fast faster fine fix
        fixed fixes flexible forgive forgiven free freedom fresh friend friends gain gained
        gentle genuine genuinely growth handy harmony healed healing healthy help helped
        helping helps honest honor honour hope hopefully hopes hoping humble humor humour
        important impressively improve improved improvement improves improving innocent
        innovative insightful intelligent interested interesting keen leading like liked
        likes liking logical luck mature meaningful memorable modern natural noble open
        original patient peace polite popular positive powerful practical prefer privilege
        productive progress promising proper protected pure quick quickly ready reasonable
        recover recovered refined rescue rescued resolved respect respectful rich right safe
        safely safety secure simple snug solid solution solved sophisticated special stable
        steady straightforward support supported supporting supports sure surprised tender
        tidy top trust trusted useful valid value versatile warm welcome willing wish wishes
        wonder worth worthwhile worthy yes
        """,
    -1: """
        absent alone anxious apologies apologize argue argued arguing argument average avoid
        avoided awkward blame blamed bland blocked bore bored boring bother bothered
        bothering bothers chaotic cheap clueless clumsy cold complain complained complaining
        complains complaint complaints complicated concern concerned concerning confuse
        confused confusing confusion costly crowded damage damaged dated delay delayed
        delays demanding denied deny difficult difficulty dirty disagree disagreed disagrees
        distracted distracting doubt doubtful doubts drained dropped dry dull empty error
        errors exhausted expensive fault faulty fear fears fight fighting flaw flawed flaws
        forgettable forgot forgotten fuss generic gloomy greedy grumpy guilty hesitant hide
        hungry ignore ignored ignores impatient inaccurate inconsistent inconvenient
        incorrect ineffective inferior insecure issue issues jealous lack lacking lacks lazy
        leak leaked limited lonely loud mediocre mess messed messy mislead misleading miss
        missed misses missing mistake mistaken mistakes moody muddy nag needy nervous noise
        noisy odd offline outdated overpriced overrated pity plain pointless pressure
        problem problems questionable quit refuse refused refuses regret regrets rejected
        reluctant repetitive restless risk risky rough rushed sceptical selfish shaky
        shallow shame shy silly skeptical slow slower sluggish sorry spoiled stale stiff
        strange stressed strict struggle struggled struggles struggling stubborn stuck
        suspicious tedious tense tired tiring trouble troubled unable uncertain unclear
        uncomfortable underwhelming uneasy uneven unfair unfamiliar unfinished unhelpful
        uninspired uninteresting unlucky unnecessary unpleasant unpopular unreliable
        unstable unsure vague warn warned warning weak weaker weakness weird worn worried
        worries worry worrying wrong
        """,
    -2: """
        abandon abandoned abuse abused aggressive angrily angry annoy annoyed annoying
        annoys appalled arrogant ashamed attack attacked bad badly ban banned beaten betray
        betrayal betrayed bitter bleak broke broken brutal bug buggy bugs bully bullying
        burden cancelled chaos cheat cheated cheater cheaters cheating clown condemn corrupt
        corruption coward cowardly crap crappy crash crashed crashes crashing cried cries
        cringe crisis cruelly cry crying cursed damaging danger dangerous dead death deceive
        deceived deceptive defeat defeated defect defective depressed depressing depression
        desperate destroy destroyed destroying die died dies disappoint disappointed
        disappointing disappointment discouraged discouraging dishonest dislike disliked
        dislikes dismal disrespect disrespectful distress distressed disturbed disturbing
        dread dreaded dumb dying embarrass embarrassed embarrassing embarrassment enemy
        enraged evil fail failed failing fails failure failures fake fool foolish fraudulent
        freeze freezes frighten frightened frightening frozen frustrate frustrated
        frustrates frustrating frustration grief grim gross harm harmed harmful harsh
        heartless helpless hopeless hostile humiliated humiliating hurt hurting hurts idiot
        idiotic idiots ignorant ill incompetent infuriated injured injury insult insulted
        insulting insults irresponsible irritated irritating kill killed lame liar lie lied
        lies lose loser losers loses losing loss losses lost mad malicious manipulative
        meaningless menace mindless miserably mourn nasty negative neglect neglected
        nightmare nightmares nonsense obnoxious offended offensive outrage outraged
        overcooked pain painful painfully panic panicked poison poor poorly prejudice
        pretentious punish punished rage raging rejection resent resentful ridiculous rip
        rot rotten rubbish rude ruin ruined ruining ruins sad sadder saddest sadly sadness
        scare scared scary scream screaming senseless shameful shock shocked shocking sick
        sickness sink slap sleazy smelly sorrow spam spammer spiteful steal stealing steals
        stink stinks stole stolen stress stressful stupid stupidity suck sucked sucks sue
        suffer suffered suffering suffers terrified terror threat threaten threatened
        threatening throwing tragedy trapped trauma traumatic ugly unacceptable unfortunate
        unfortunately unhappy unplayable unsafe unsettling unusable unwanted unwatchable
        upset upsetting victim victims violence violent waste wasted wasting weep worse
        worsen worsened wreck wrecked
        """,
    -3: """
        abominable abysmal agony anguish appalling atrocious awful catastrophe catastrophic
        cruel cruelty despicable despise despised devastated devastating disaster disastrous
        disgrace disgraceful disgust disgusted disgusting dreadful excruciating filthy foul
        fraud furious garbage ghastly hate hated hateful hates hating hatred heartbreak
        heartbreaking heartbroken hell hideous horrendous horrible horribly horrid horrific
        horrified horrifying horror infuriating insufferable intolerable loathe loathed
        loathing loathsome miserable misery monstrous murder murdered nauseating outrageous
        pathetic repulsive revolting scam scammed scammer scammers shit shitty sickening
        terrible terribly torture tortured toxic tragic trash unbearable useless vicious
        vile vomit worst worthless wretched
        """,
}

_NEGATORS: Final = """
    ain't aint aren't arent barely can't cannot cant couldn't couldnt didn't didnt doesn't doesnt
    don't dont hadn't hadnt hardly hasn't hasnt haven't havent isn't isnt mustn't neither never no
    nobody none nor not nothing nowhere rarely scarcely seldom shouldn't shouldnt wasn't wasnt
    weren't werent without won't wont wouldn't wouldnt
    """

NEGATORS: Final = frozenset(_NEGATORS.split())
"""Turn what follows them within a few words."""

CONTRASTS: Final = frozenset(["but", "however"])
"""What follows the last of these weighs more than what went before."""

BOOSTS_BY_PERCENT: Final = {
    50: """
        absolutely completely exceedingly exceptionally extraordinarily extremely fucking
        hella hugely immensely incredibly insanely overwhelmingly ridiculously totally
        tremendously unbelievably utterly
        """,
    30: """
        bloody damn deeply especially freaking frickin highly intensely majorly particularly
        purely really seriously so such super thoroughly too truly very way
        """,
    10: """
        entirely more most much pretty quite rather real
        """,
    -30: """
        fairly kinda less moderately mostly partly relatively somewhat sorta
        """,
    -50: """
        almost bit little marginally mildly occasionally slightly
        """,
}
"""Make what follows them stronger or weaker."""
