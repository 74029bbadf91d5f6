"""What must always be true of the data (reliability.md section 4): each query gives the rows that break it.

Plain SQL that both databases read alike, so that the check distrusts our own mappings and constraints too.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Invariant:
    """``promise`` says in words what ``sql`` looks for the breach of; its first column names the row."""

    name: str
    promise: str
    sql: str


def broken(session: Session, invariant: Invariant) -> list[str]:
    """Names of the first rows that break it; empty when it holds."""
    sql = invariant.sql.replace("{standing}", _STANDING).replace("{net}", _NET)
    found = session.execute(text(f"{sql} limit {MOST_SHOWN}")).all()
    return [":".join(str(part) for part in row) for row in found]


_STANDING = "w.slot is not null and w.stage not in ('reserve', 'declined', 'unclaimed', 'disqualified')"
_COUNTED = (
    "select t.id from voucher_types t left join (select voucher_type_id, count(*) as n from vouchers "
    "where status = 'STATUS' group by voucher_type_id) v on v.voucher_type_id = t.id "
    "where t.STATUS_count <> coalesce(v.n, 0)"
)
_NET = "sum(case when kind = 'redeem' then count else -count end)"
INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "entries dense",
        "Entries of a reward are numbered 1, 2, 3 … without a gap.",
        "select reward_id from entries group by reward_id having min(number) <> 1 or max(number) <> count(*)",
    ),
    Invariant(
        "entries counted",
        "A reward's entry counter is the number of its entries.",
        "select r.id from rewards r left join (select reward_id, count(*) as n from entries group by reward_id) e "
        "on e.reward_id = r.id where r.entry_count <> coalesce(e.n, 0)",
    ),
    Invariant(
        "entries counted by day",
        "The days of a reward count each of its entries once.",
        "select r.id from rewards r left join (select reward_id, sum(entry_count) as n from entry_days "
        "group by reward_id) d on d.reward_id = r.id where r.entry_count <> coalesce(d.n, 0)",
    ),
    Invariant(
        "entries of one site",
        "An entry that came from a file came from a file for its own reward.",
        "select e.reward_id, e.number from entries e join import_runs i on i.id = e.import_run_id "
        "where i.reward_id is null or i.reward_id <> e.reward_id",
    ),
    Invariant(
        "excluded entries explained",
        "An entry that does not count says why.",
        "select reward_id, number from entries where status <> 'ok' and reason = ''",
    ),
    Invariant(
        "sealed list size",
        "A sealed draw has as many entries as its seal says.",
        "select d.id from draws d where d.state in ('sealed', 'drawn') and d.entry_count <> "
        "(select count(*) from entries e where e.reward_id = d.reward_id)",
    ),
    Invariant(
        "sealed list counts",
        "A sealed draw's eligible entries and tickets are those of the list.",
        "select d.id from draws d join (select reward_id, count(*) as n, sum(tickets) as t from entries "
        "where status = 'ok' group by reward_id) e on e.reward_id = d.reward_id "
        "where d.state in ('sealed', 'drawn') and (d.eligible_count <> e.n or d.ticket_count <> e.t)",
    ),
    Invariant(
        "sealed before drawn",
        "A drawn draw was sealed first, by its seal, root and stored list.",
        "select id from draws where state in ('sealed', 'drawn') and (seal is null or seal_sha256 is null "
        "or entries_root is null or sealed_at is null or entries_file_id is null or entry_count = 0)",
    ),
    Invariant(
        "drawn has a round",
        "A drawn draw has round 1, 2 … without a gap; any other has none.",
        "select d.id from draws d left join (select draw_id, count(*) as n, max(round) as last from draw_rounds "
        "group by draw_id) r on r.draw_id = d.id where (d.state = 'drawn') <> (coalesce(r.n, 0) > 0) or r.n <> r.last",
    ),
    Invariant(
        "two people per draw",
        "Whoever sealed a draw did not draw it, unless the account is a small team.",
        "select d.id from draws d where d.drawn_by_id is not null and d.drawn_by_id = d.sealed_by_id "
        "and not exists (select 1 from account_settings s where s.is_small_team)",
    ),
    Invariant(
        "draw log dense",
        "A draw's log has as many lines as it counts, numbered without a gap.",
        "select d.id from draws d left join (select draw_id, count(*) as n, max(number) as last, min(number) as first "
        "from draw_log_lines group by draw_id) l on l.draw_id = d.id "
        "where d.log_count <> coalesce(l.n, 0) or l.last - l.first + 1 <> l.n",
    ),
    Invariant(
        "winner is an entry",
        "A winner is an entry of the same reward that counts, of the same person.",
        "select w.id from winners w left join entries e on e.reward_id = w.reward_id and e.number = w.entry_number "
        "where e.number is null or e.status <> 'ok' or e.profile_id <> w.profile_id",
    ),
    Invariant(
        "winner of its draw",
        "A winner's reward is that of its draw.",
        "select w.id from winners w join draws d on d.id = w.draw_id where d.reward_id <> w.reward_id",
    ),
    Invariant(
        "nobody wins twice",
        "No holder stands twice in one draw.",
        "select draw_id, holder from winners group by draw_id, holder having count(*) > 1",
    ),
    Invariant(
        "one winner a slot",
        "A slot has one standing winner at most.",
        "select w.draw_id, w.slot from winners w where {standing} group by w.draw_id, w.slot having count(*) > 1",
    ),
    Invariant(
        "no more winners than prizes",
        "A prize has no more standing winners than its quantity.",
        "select p.id from prizes p join winners w on w.prize_id = p.id where {standing} "
        "group by p.id, p.quantity having count(*) > p.quantity",
    ),
    Invariant(
        "passed on for a reason",
        "A slot passed to a reserve was left by a winner of the same draw, with a reason.",
        "select w.id from winners w join winners o on o.id = w.passed_from_id where o.draw_id <> w.draw_id "
        "or o.slot is null or o.slot <> w.slot or o.stage not in ('declined', 'unclaimed', 'disqualified') or o.reason = ''",
    ),
    Invariant(
        "fulfilled is finished",
        "A fulfilled reward says when, and leaves no standing winner unserved.",
        "select r.id from rewards r where r.status = 'fulfilled' and (r.fulfilled_at is null or exists "
        "(select 1 from winners w where w.reward_id = r.id and {standing} and w.stage <> 'fulfilled'))",
    ),
    Invariant(
        "group members counted",
        "A group's counter of members is the number of its memberships.",
        "select g.id from groups g left join (select group_id, count(*) as n from memberships group by group_id) m "
        "on m.group_id = g.id where g.member_count <> coalesce(m.n, 0)",
    ),
    Invariant(
        "organisation members counted",
        "An organisation's counter of members is the number of memberships within it.",
        "select o.id from organisations o left join (select organisation_id, count(*) as n from memberships "
        "group by organisation_id) m on m.organisation_id = o.id where o.member_count <> coalesce(m.n, 0)",
    ),
    Invariant(
        "organisation paths",
        "An organisation's path is that of the one above it and its own id.",
        "select o.id from organisations o left join organisations p on p.id = o.parent_id "
        "where o.path <> coalesce(p.path, '/') || o.id || '/'",
    ),
    Invariant(
        "module completions counted",
        "A module's counter of completions is the number of them.",
        "select m.id from modules m left join (select module_id, count(*) as n from completions group by module_id) c "
        "on c.module_id = m.id where m.completion_count <> coalesce(c.n, 0)",
    ),
    Invariant(
        "voucher codes unique",
        "No two codes are the same.",
        "select min(id) from vouchers group by code_hash having count(*) > 1",
    ),
    *(
        Invariant(
            f"vouchers {status} counted",
            f"A voucher type's counter of {status} codes is the number of them.",
            _COUNTED.replace("STATUS", status),
        )
        for status in ("idle", "allocated", "pending", "redeemed", "cancelled")
    ),
    Invariant(
        "batch of its type",
        "A code belongs to the type its batch was made for.",
        "select v.id from vouchers v join voucher_batches b on b.id = v.batch_id where b.voucher_type_id <> v.voucher_type_id",
    ),
    Invariant(
        "batch counted",
        "A batch made as many codes as it counts, less those that went when its upload was taken back, and never more "
        "than were wanted.",
        "select b.id from voucher_batches b left join (select batch_id, count(*) as n from vouchers group by batch_id) v "
        "on v.batch_id = b.id where b.made - coalesce(cast(b.upload -> 'undo' ->> 'gone' as integer), 0) <> coalesce(v.n, 0) "
        "or b.made > b.wanted",
    ),
    Invariant(
        "voucher of its winner",
        "A code given to a winner is that winner's person's, and the winner counts it.",
        "select w.id from winners w left join (select winner_id, count(*) as n, min(profile_id) as least, "
        "max(profile_id) as most from vouchers where winner_id is not null group by winner_id) v on v.winner_id = w.id "
        "where w.voucher_count <> coalesce(v.n, 0) or v.least <> w.profile_id or v.most <> w.profile_id",
    ),
    Invariant(
        "redemptions of a benefit counted",
        "A benefit's counter of redemptions is what its ledger comes to.",
        "select b.id, b.redeemed_count, coalesce(r.n, 0) from benefits b left join "
        "(select benefit_id, {net} as n from redemptions group by benefit_id) r "
        "on r.benefit_id = b.id where b.redeemed_count <> coalesce(r.n, 0)",
    ),
    Invariant(
        "redemptions of a definition counted",
        "A definition's counter of redemptions is what the ledgers of its benefits come to.",
        "select d.id, d.total_global_redemptions, coalesce(r.n, 0) from benefit_definitions d left join "
        "(select b.definition_id, {net} as n from redemptions join benefits b on b.id = benefit_id "
        "group by b.definition_id) r on r.definition_id = d.id where d.total_global_redemptions <> coalesce(r.n, 0)",
    ),
    Invariant(
        "benefits of a definition counted",
        "A definition counts its benefits, those claimed and those void.",
        "select d.id from benefit_definitions d left join (select definition_id, count(*) as n, "
        "sum(case when source = 'claim' then 1 else 0 end) as c, sum(case when voided_at is null then 0 else 1 end) as v "
        "from benefits group by definition_id) b on b.definition_id = d.id where d.total_global_created <> coalesce(b.n, 0) "
        "or d.total_global_claimed <> coalesce(b.c, 0) or d.total_global_voided <> coalesce(b.v, 0)",
    ),
    Invariant(
        "benefits of a batch counted",
        "A batch counts whom it is for, to whom it issued, and whom it passed over.",
        "select t.id from benefit_batches t "
        "left join (select batch_id, count(*) as n from benefits where batch_id is not null group by batch_id) b "
        "on b.batch_id = t.id "
        "left join (select batch_id, count(*) as n, count(passed_over) as p from benefit_batch_people group by batch_id) h "
        "on h.batch_id = t.id where t.issued_count <> coalesce(b.n, 0) or t.people_count <> coalesce(h.n, 0) "
        "or t.passed_count <> coalesce(h.p, 0)",
    ),
    Invariant(
        "no more comes back than was redeemed",
        "What came back of a redemption is of the same benefit, and no more than was redeemed.",
        "select o.id from redemptions o join redemptions r on r.original_id = o.id group by o.id, o.count, o.benefit_id "
        "having sum(r.count) > o.count or min(r.benefit_id) <> o.benefit_id or max(r.benefit_id) <> o.benefit_id",
    ),
    Invariant(
        "redeemed within its dates",
        "Nothing is redeemed before its benefit was issued.",
        "select r.id from redemptions r join benefits b on b.id = r.benefit_id where r.at < b.issued_at",
    ),
    Invariant(
        "forced codes given",
        "A benefit's code is of its definition's person, and is not idle.",
        "select b.id from benefits b join vouchers v on v.id = b.voucher_id "
        "where v.status = 'idle' or v.profile_id is null or v.profile_id <> b.profile_id",
    ),
    Invariant(
        "erased people are nobody",
        "An erased person keeps no name, address, phone, identity or word to be found by.",
        "select p.id from profiles p where p.erased_at is not null and (p.email <> '' or p.email_key is not null "
        "or p.first_name <> '' or p.last_name <> '' or p.phone <> '' or p.home_phone <> '' or p.search_text <> '' "
        "or p.name_key <> '' or p.phone_key <> '' or p.birth_year is not null or cast(p.attributes as varchar(99)) <> '{}' "
        "or (p.merged_into_id is null and (p.external_id is null or p.external_id not like 'erased-%')) "
        "or (p.merged_into_id is not null and p.external_id is not null) "
        "or exists (select 1 from profile_identities i where i.profile_id = p.id) "
        "or exists (select 1 from profile_terms t where t.profile_id = p.id))",
    ),
    Invariant(
        "entrants are found on their sites",
        "Whoever entered a reward of a site is found there, and so is whoever they were merged into, unless erased.",
        "select distinct e.profile_id, r.site_id from entries e join rewards r on r.id = e.reward_id "
        "join profiles p on p.id = e.profile_id "
        "left join site_people s on s.profile_id = e.profile_id and s.site_id = r.site_id "
        "where p.erased_at is null and s.profile_id is null "
        "union all select distinct w.id, r.site_id from profiles p join profiles w on w.id = p.merged_into_id "
        "join entries e on e.profile_id = p.id join rewards r on r.id = e.reward_id "
        "left join site_people s on s.profile_id = w.id and s.site_id = r.site_id "
        "where w.erased_at is null and s.profile_id is null",
    ),
    Invariant(
        "only entrants are found on a site",
        "Whoever is found on a site entered a reward of it, or somebody merged into them did, and is found by what is known "
        "of them.",
        "select s.profile_id, s.site_id from site_people s "
        "left join profiles p on p.id = s.profile_id and p.erased_at is null where p.id is null "
        "or coalesce(s.external_id, '') <> coalesce(p.external_id, '') or coalesce(s.email_key, '') <> coalesce(p.email_key, '') "
        "or s.phone_key <> p.phone_key or s.search_text <> p.search_text or s.name_key <> p.name_key "
        "or not exists (select 1 from entries e join rewards r on r.id = e.reward_id "
        "where e.profile_id = s.profile_id and r.site_id = s.site_id) "
        "and not exists (select 1 from profiles o join entries e on e.profile_id = o.id join rewards r on r.id = e.reward_id "
        "where o.merged_into_id = s.profile_id and r.site_id = s.site_id)",
    ),
    Invariant(
        "shared addresses find everybody",
        "Whoever has an address that leads to somebody else is found by it too.",
        "select p.id from profiles p where p.email <> '' and p.email_key is null and p.merged_into_id is null "
        "and p.erased_at is null and not exists "
        "(select 1 from profile_terms t where t.profile_id = p.id and t.term like '%@%')",
    ),
    Invariant(
        "words on sites are those of people",
        "Whoever is found on a site is found by every further word and identity of theirs, and by no other.",
        "select s.profile_id, s.site_id from site_people s join profile_terms t on t.profile_id = s.profile_id "
        "where not exists (select 1 from site_terms c where c.profile_id = s.profile_id and c.site_id = s.site_id "
        "and not c.is_identity and c.term = t.term) "
        "union all select s.profile_id, s.site_id from site_people s join profile_identities i on i.profile_id = s.profile_id "
        "where not exists (select 1 from site_terms c where c.profile_id = s.profile_id and c.site_id = s.site_id "
        "and c.is_identity and c.term = i.identifier) "
        "union all select c.profile_id, c.site_id from site_terms c "
        "left join profile_terms t on t.profile_id = c.profile_id and t.term = c.term and not c.is_identity "
        "left join profile_identities i on i.profile_id = c.profile_id and i.identifier = c.term and c.is_identity "
        "where (t.term is null and i.id is null) or not exists "
        "(select 1 from site_people s where s.profile_id = c.profile_id and s.site_id = c.site_id)",
    ),
    Invariant(
        "import accounts for every row",
        "Good, duplicate and bad rows make up the file.",
        "select id from import_runs where status in ('checked', 'applying', 'done') "
        "and record_count <> good_count + duplicate_count + bad_count",
    ),
    Invariant(
        "import problems explained",
        "Every bad or duplicate row has a line and a reason.",
        "select id from import_problems where reason = '' or line < 1 or outcome not in ('bad', 'duplicate')",
    ),
    Invariant(
        "import entries counted",
        "An import wrote as many entries as it counts, less those that went when it was taken back.",
        "select i.id from import_runs i left join (select import_run_id, count(*) as n from entries "
        "where import_run_id is not null group by import_run_id) e on e.import_run_id = i.id "
        "where i.kind = 'entries' "
        "and i.entry_count - coalesce(cast(i.undone ->> 'gone' as integer), 0) <> coalesce(e.n, 0)",
    ),
    Invariant(
        "sent has a time",
        "A message has a time of sending exactly when it was sent, after one try at least.",
        "select id from outbox_messages where (status = 'sent') <> (sent_at is not null) or attempts < 0 "
        "or (status = 'sent' and attempts = 0)",
    ),
    Invariant(
        "one message a cause",
        "No two messages have the same cause.",
        "select dedupe_key from outbox_messages group by dedupe_key having count(*) > 1",
    ),
    Invariant(
        "finished jobs have an end",
        "A job has a time of ending exactly when it ended, and a runner exactly when it runs.",
        "select id from jobs where (status in ('done', 'failed', 'cancelled')) <> (finished_at is not null) "
        "or (status = 'running') <> (owner <> '')",
    ),
    Invariant(
        "files whole",
        "A stored file's pieces are numbered 0, 1, 2 … and as many as its size needs.",
        "select f.id from stored_files f left join (select file_id, count(*) as n, max(number) as last from stored_chunks "
        "group by file_id) c on c.file_id = f.id where coalesce(c.n, 0) <> (f.size + 262143) / 262144 or c.last + 1 <> c.n",
    ),
    Invariant(
        "audit chain links",
        "Every linked audit entry stands on the one before it.",
        "select a.id from audit_entries a left join audit_entries p on p.position = a.position - 1 "
        "where a.position > 1 and (p.id is null or p.digest <> a.previous)",
    ),
    Invariant(
        "audit chain whole",
        "A linked audit entry has a place, a predecessor and a digest, or none of them.",
        "select id from audit_entries where (position is null) <> (digest is null) or (position is null) <> (previous is null)",
    ),
    Invariant(
        "no session of a disabled account",
        "Nobody whose account is disabled has an open session.",
        "select s.id from staff_sessions s join staff_members m on m.id = s.staff_id "
        "where not m.is_active and s.ended_at is null",
    ),
)
