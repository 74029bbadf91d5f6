"""Benefit definitions with their terms, and benefits that people hold."""

from __future__ import annotations

from sqlalchemy import update

from tests.factories.people import People
from tests.support.clock import NOW
from tests.support.webhook_secrets import SECRETS
from webapp.domain.benefit_batches import Audience, BatchStatus
from webapp.domain.notices import NoticeKind, TargetKind
from webapp.domain.redemptions import BenefitSource, RedemptionKind
from webapp.models import (
    Benefit,
    BenefitBatch,
    BenefitDefinition,
    BenefitDefinitionVersion,
    BenefitExtension,
    ExtendedBenefit,
    Notice,
    Profile,
    Redemption,
    Target,
)


class Benefits(People):
    """`make.benefit_definition(max_redemptions=3)`, `make.benefit(definition, person)`."""

    def benefit_definition(self, **changes: object) -> BenefitDefinition:
        """Published, assignable, 30 days, one redemption; its first terms are kept."""
        number = self.next_number
        values: dict[str, object] = {
            "name": f"Benefit {number}",
            "handle": f"benefit-{number}",
            "period": 30,
            "max_redemptions": 1,
            "is_published": True,
            "created_at": NOW,
            "updated_at": NOW,
        }
        values |= changes
        if "site_id" not in values:
            values["site_id"] = self.site().id
        definition = self.add(BenefitDefinition(**values))
        terms = {"name": definition.name, "terms_conditions": definition.terms_conditions or ""}
        self.add(BenefitDefinitionVersion(definition_id=definition.id, number=1, terms=terms, at=NOW, by="Ann Able"))
        return definition

    def target(self, **changes: object) -> Target:
        """In use, with a code and a last day in its text, for everybody."""
        number = self.next_number
        values: dict[str, object] = {
            "name": f"target-{number}",
            "title": f"Target {number}",
            "subject": "((definition.name)) for you",
            "body": "Dear ((profile.first_name)), ((benefit.code)) is good until ((benefit.expires_on)).",
            "created_at": NOW,
            "updated_at": NOW,
        }
        values |= changes
        if "site_id" not in values:
            values["site_id"] = self.site().id
        return self.add(Target(**values))

    def webhook(self, url: str = "https://hooks.example.org/in", **changes: object) -> Target:
        """A target that is a webhook, its secret made by `tests.support.webhooks.SECRETS`."""
        name = f"webhook-{self.next_number}"
        payload = '{"code": "((benefit.code))", "until": "((benefit.expires_on))", "to": "((profile.first_name))"}'
        values: dict[str, object] = {
            "name": name,
            "title": name,
            "subject": changes.get("title", name),
            "kind": TargetKind.WEBHOOK,
            "url": url,
            "secret": SECRETS.make(name),
            "secret_made_at": NOW,
            "body": payload,
        }
        return self.target(**values | changes)

    def notice(self, benefit: Benefit, target: Target | None = None, **changes: object) -> Notice:
        """Of the issue, due and not sent."""
        values: dict[str, object] = {
            "benefit_id": benefit.id,
            "profile_id": benefit.profile_id,
            "target_id": (target or self.target()).id,
            "kind": NoticeKind.ISSUE,
            "anchor_at": benefit.issued_at,
            "due_at": benefit.issued_at,
            "created_at": NOW,
        }
        return self.add(Notice(**values | changes))

    def benefit_batch(self, definition: BenefitDefinition | None = None, **changes: object) -> BenefitBatch:
        """Checked, for nobody yet."""
        definition = definition or self.benefit_definition()
        values: dict[str, object] = {
            "definition_id": definition.id,
            "site_id": definition.site_id,
            "status": BatchStatus.CHECKED,
            "audience": Audience.LIST,
            "listed": "M-1",
            "created_at": NOW,
            "created_by": "Ann Able",
        }
        return self.add(BenefitBatch(**values | changes))

    def benefit(
        self, definition: BenefitDefinition | None = None, holder: Profile | None = None, **changes: object
    ) -> Benefit:
        """One of the definition, counted; without an end unless one is given."""
        definition = definition or self.benefit_definition()
        holder = holder or self.profile()
        number = self.next_number
        values: dict[str, object] = {
            "definition_id": definition.id,
            "terms_number": definition.terms_number,
            "profile_id": holder.id,
            "zone": "Australia/Melbourne",
            "issued_at": NOW,
            "max_redemptions": definition.max_redemptions,
            "redeem_code_pos": f"TESTBENEFIT{number}",
            "code_key": f"TESTBENEF1T{number}",
            "created_at": NOW,
        }
        values |= changes
        counted = {"total_global_created": BenefitDefinition.total_global_created + 1}
        if values.get("source") == BenefitSource.CLAIM:
            counted["total_global_claimed"] = BenefitDefinition.total_global_claimed + 1
            values.setdefault("claimed_by_id", holder.id)
        self.session.execute(update(BenefitDefinition).where(BenefitDefinition.id == definition.id).values(counted))
        return self.add(Benefit(**values))

    def extension(self, benefit: Benefit, **changes: object) -> BenefitExtension:
        """Of it alone, as if by somebody else."""
        made = self.add(BenefitExtension(**{"at": NOW, "by": "Ann Able"} | changes))
        self.add(
            ExtendedBenefit(
                extension_id=made.id,
                benefit_id=benefit.id,
                ended_at=NOW,
                ends_at=NOW,
                redeemed_count=benefit.redeemed_count,
            )
        )
        return made

    def redemption(self, benefit: Benefit, **changes: object) -> Redemption:
        """One of it, counted."""
        counted = {"total_global_redemptions": BenefitDefinition.total_global_redemptions + 1}
        own = update(BenefitDefinition).where(BenefitDefinition.id == benefit.definition_id).values(counted)
        self.session.execute(own)
        self.session.execute(
            update(Benefit).where(Benefit.id == benefit.id).values(redeemed_count=Benefit.redeemed_count + 1)
        )
        values: dict[str, object] = {
            "benefit_id": benefit.id,
            "kind": RedemptionKind.REDEEM,
            "count": 1,
            "at": NOW,
            "by": "Ann Able",
            "receipt": "K7QD",
        }
        return self.add(Redemption(**values | changes))
