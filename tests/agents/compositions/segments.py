"""Rows of segments: whom an event is for by its own word, with what else may keep one from it.

Of half of all users, `ann` is in the holdout "e" of the type "other".
"""

from tests.agents.compositions.flow import NIGHT, Flow, contacts, event, kind, wishes

TO = kind('segment_at = "to"').replace('users = "who"\n', "")
SEGMENTS = """
[segments.adults]
where = "user.age | int >= 18 and not user.plan == 'closed'"
[segments.germans]
where = "user.country in ['DE', 'AT']"
"""
ADULT = {"age": "41", "plan": "pro", "country": "FR"}

SEGMENTED = (
    Flow(
        name="an event is for whoever is in the segment that it names",
        catalogue=TO + SEGMENTS,
        acts=(
            contacts("1 00:01", attributes=ADULT),
            event("e1", "2 12:00", to="adults"),
            event("e2", "2 12:05", to="germans"),
        ),
        sent=("2 12:00 push: e1",),
    ),
    Flow(
        name="attributes count as they are when it is decided",
        catalogue=TO + SEGMENTS,
        acts=(
            contacts("1 00:01", attributes=ADULT),
            event("e1", "2 12:00", to="germans"),
            contacts("2 12:05", attributes={"country": "AT"}),
            event("e2", "2 12:10", to="germans"),
            event("e3", "2 12:15", to="adults"),
        ),
        sent=("2 12:10 push: e2",),
    ),
    Flow(
        name="what is for a segment waits, counts and is replaced as all else is",
        catalogue=TO.replace("segment_at", 'replaces = "ride"\nsegment_at') + SEGMENTS,
        acts=(
            contacts("1 00:01", attributes=ADULT),
            wishes("1 00:02", quiet_hours=NIGHT),
            event("e1", "2 23:00", to="adults", ride="r1"),
            event("e2", "2 23:05", to="adults", ride="r1"),
        ),
        sent=("3 07:00 push: e2",),
        silent=("e1 push cancelled",),
    ),
    Flow(
        name="a type that names its segment is for that alone and may hold out of it",
        catalogue=TO.replace('segment_at = "to"', 'segment = "adults"') + SEGMENTS,
        others=(
            kind(
                'segment = "germans"\nholdout = { share = "50%", name = "e" }', name="other"
            ).replace('users = "who"\n', ""),
        ),
        acts=(
            contacts("1 00:01", attributes=ADULT | {"country": "DE"}),
            event("e1", "2 12:00"),
            event("o1", "2 12:05", "other"),
        ),
        sent=("2 12:00 push: e1",),
        silent=("o1 all holdout",),
    ),
)
