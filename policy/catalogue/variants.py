"""The variants of a type as written: what contradicts, and what they are compiled to.

Variants that differ in more than their words say nothing about the words. So each must have what
the type's own templates have: translations, a digest, and the fields that apps look for.
"""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from policy.catalogue.entry import Entry, ExperimentEntry, Layout
from policy.catalogue.problem import Problem
from policy.catalogue.text_entry import Templates
from policy.experiments.experiment import Experiment, Variant
from policy.notification_type import NotificationType, Plan
from policy.rendering.rendering import BadTemplate, Rendering, compile_rendering
from policy.rendering.texts import locales_of
from schemas.vocabulary import Channel

_PATH = ("experiment", "variants")


def varying(entry: Entry) -> Iterator[Problem]:
    """What contradicts in `experiment`."""
    if entry.experiment is None:
        return
    variants = entry.variants()
    if len(variants) < 2:
        yield _PATH, "must be two at least, as one has nothing to be compared with"
    used = {channel for channels in entry.steps() for channel in channels}
    before: dict[str, Mapping[Channel, Templates]] = {}
    for name, variant in variants.items():
        given = variant.templates.given()
        for channel in given.keys() - used:
            yield (*_PATH, name, "templates", channel), "is for a channel that is not used"
        own = {**entry.templates.given(), **given}
        same = next((other for other, texts in before.items() if texts == own), None)
        if same is not None:
            yield (*_PATH, name), f"has no effect, as it says the same as {same}"
        before[name] = own


def experiment_of(
    spec: NotificationType, entry: Entry, written: ExperimentEntry, layouts: Mapping[str, Layout]
) -> Experiment:
    """The experiment of a type that is compiled but for it.

    Raises BadTemplate, saying in which field of the entry.
    """
    variants = []
    for name, variant in written.variants.items():
        renderings = {}
        for channel, templates in variant.templates.given().items():
            try:
                subject = f"{spec.name}.{channel}.{name}"
                renderings[channel] = compile_rendering(
                    subject, channel, templates, layouts, is_transactional=entry.transactional
                )
                _check_fair(entry.templates.given()[channel], templates)
            except BadTemplate as error:
                place = ".".join((*_PATH, name, "templates", channel, error.field))
                raise BadTemplate(place, error.complaint) from None
        label = f"{written.name}/{name}"
        variants.append(Variant(name, variant.weight, _varied(spec, renderings, label)))
    return Experiment(written.name, tuple(variants))


def _check_fair(own: Templates, other: Templates) -> None:
    for field in own.data:
        if field not in other.data:
            raise BadTemplate("data", f"lacks {field}, which the type's own templates send")
    if len(own.actions) != len(other.actions) or bool(own.image) != bool(other.image):
        raise BadTemplate("", "have another number of images or actions than the type's own")
    if own.sound != other.sound or (own.badge is None) != (other.badge is None):
        raise BadTemplate("", "have another sound or badge than the type's own")
    if own.digest and not other.digest:
        raise BadTemplate("digest", "is missing, and the type's own templates have one")
    if own.whatsapp and not other.whatsapp:
        raise BadTemplate("whatsapp", "is missing, and the type's own templates have one")
    lacking = locales_of(own).keys() - locales_of(other).keys()
    if lacking:
        raise BadTemplate("locales", f"lacks {min(lacking)}, which the type's own templates have")


def _varied(
    spec: NotificationType, renderings: Mapping[Channel, Rendering], label: str
) -> NotificationType:
    def vary(plans: tuple[Plan, ...]) -> tuple[Plan, ...]:
        return tuple(
            replace(plan, rendering=renderings.get(plan.channel, plan.rendering)) for plan in plans
        )

    steps = tuple(
        replace(step, plans=vary(step.plans), online_plans=vary(step.online_plans))
        for step in spec.steps
    )
    return replace(spec, steps=steps, variant=label)
