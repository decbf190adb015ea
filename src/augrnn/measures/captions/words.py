"""Words of photographs' captions that name what is to be seen, and words that name nothing."""

_THINGS = """
dog dogs man men woman women boy boys girl girls child children baby person people player players crowd kids couple
shirt jacket hat coat dress shorts pants helmet jeans hair face mouth head water grass snow sand beach ocean river lake
pool street road field park building wall fence tree trees mountain rock rocks hill bench ball toy frisbee stick bike
bicycle skateboard motorcycle car horse bird boat camera sign rope swing slide
"""

NOUNS = frozenset(_THINGS.split())
"""Common nouns of things among the 250 commonest words of Flickr8k's training captions."""

_OTHERS = """
a an the in on of at with to and by for from into through over while as is are his her their its another each other some
that it him them there
"""

FUNCTION_WORDS = frozenset(_OTHERS.split())
"""Articles, prepositions, conjunctions, pronouns and the copula among the same words."""
