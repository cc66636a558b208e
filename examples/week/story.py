"""What happens in the week: the incidents somebody should be told about, at fixed times, and what must stay quiet.

Times are days after the story's first midnight (UTC) and hours. The week begins on a Monday.

 Mon 08:40  release 4.8.0. From 09:05 invoice PDFs fail for two dozen accounts, until hotfix 4.8.1 at 14:30.
 Tue 12:05  login outage: about 600 errors in 27 minutes, on one page, and a wave of tickets about logging in.
 Wed 07:00  the export worker slows down: 3 to 5 time-outs an hour, each with other ids, until Thu 17:00.
 Wed 09:00  a partner changes its API without telling: tickets about integrations triple for four hours.
 Thu 10:10  the checkout breaks for one customer alone (no VAT id on file): 40 errors, four people.
 Fri        half the support team is ill and a wrong macro goes out: ratings fall for a day.
 Sat 01:00  the nightly import trips over a file: one error a minute for two hours.
 Sun 13:00  exactly three role errors within an hour (alerts), and at 17:00 two of another (does not).
 All week   six accounts write in anger several times; four that were busy every day fall silent.
"""
from phrases import filled
from world import HOUR, MINUTE, DAY, next_shift

RELEASES = [(0, 8.67, "4.8.0", "web"), (0, 14.5, "4.8.1", "web"), (1, 20, "2.31.0", "exports"), (3, 13, "4.8.2", "web"),
            (4, 6, "4.8.3", "web")]

INVOICE = ("HttpError", "INV_500", "Invoice {id} could not be rendered (req {hex})")
LOGIN = ("AuthError", "AUTH_503", "Session store did not answer within 5000 ms (trace {uuid})")
EXPORT = ("TimeoutError", "EXP_504", "Export {uuid} timed out after 300{n} ms on worker 192.0.2.{n}:8080")
CHECKOUT = ("TypeError", None, "Cannot read properties of undefined (reading 'vatId') in cart {uuid}")
IMPORT = ("ParseError", "IMP_422", "Row {id}: unknown address import-{id}@example.com in batch 0x{hex}")
ROLES = ("HttpError", "ROLE_500", "Role {id} could not be saved for member {uuid}")
BADGE = ("HttpError", "BADGE_500", "Badge {id} could not be drawn")

RECURRING = {  # what people write about an incident, in their language; ids differ, the words do not
    "invoice": ("billing", {"en": "Cannot download invoice {id}", "de": "Rechnung {id} lässt sich nicht herunterladen",
                            "fr": "Impossible de télécharger la facture {id}", "es": "No puedo descargar la factura {id}",
                            "pl": "Nie mogę pobrać faktury {id}", "ja": "請求書 {id} をダウンロードできません",
                            "ar": "لا يمكن تنزيل الفاتورة {id}"}),
    "login": ("login", {"en": "Nobody here can log in 😱", "de": "Anmeldung geht nicht 😱", "fr": "Connexion impossible 😱",
                        "es": "No podemos entrar 😱", "pl": "Nie można się zalogować 😱", "ja": "ログインできません 😱",
                        "ar": "لا يمكن تسجيل الدخول 😱"}),
    "export": ("exports", {"en": "Export {hex} never finishes", "de": "Export {hex} wird nie fertig", "fr": "L’export {hex} ne finit jamais",
                           "es": "La exportación {hex} no termina", "pl": "Eksport {hex} się nie kończy", "ja": "出力 {hex} が終わらない",
                           "ar": "التصدير {hex} لا ينتهي"}),
    "partner": ("integrations", {"en": "Ledger sync rejects field posting_date", "de": "Abgleich lehnt posting_date ab",
                                 "fr": "La synchronisation refuse posting_date", "es": "La sincronización rechaza posting_date",
                                 "pl": "Synchronizacja odrzuca posting_date", "ja": "posting_date が拒否される", "ar": "المزامنة ترفض posting_date"}),
}

ANGRY = {"quillon": [0.4, 1.6, 3.3, 4.4], "veloria": [0.5, 2.4, 2.6], "olivar": [1.4, 3.4, 5.5], "dachs": [0.45, 2.35, 4.4, 6.5],
         "hoshino": [1.1, 2.1, 3.2], "alnoor": [0.4, 1.4, 2.5, 4.3]}
SILENT = {"falkenberg": 2.5, "nordlicht": 3.33, "petit-pont": 3.6, "kitebird": 1.75}
SLUMP = (4 * DAY + 6 * HOUR, 4 * DAY + 21 * HOUR)  # Friday's ratings


def version_at(story_start, ms):
    version = "4.7.3"
    for day, hour, number, service in RELEASES:
        if service == "web" and ms >= story_start + day * DAY + hour * HOUR:
            version = number
    return version


def slump(story_start, ms):
    return SLUMP[0] <= ms - story_start < SLUMP[1]


def burst(week, when, expected, place, error):
    """Errors of one kind: when = (from, length) in ms, place = (path, action, accounts)."""
    path, action, accounts = place
    for t in week.dice.moments(when[0], when[1], expected):
        week.page_error(t, week.dice.pick(accounts), (path, action), error)


def wave(week, when, expected, name, unhappy):
    """Tickets about an incident, in each writer's own language; a share of them in anger."""
    category, texts = RECURRING[name]
    for t in week.dice.moments(when[0], when[1], expected):
        account = week.account()
        angry = week.dice.chance(unhappy)
        week.ticket(t, account, category, filled(week.dice, texts[account["tongue"]]),
                    week.dice.between(-85, -45) if angry else week.dice.between(-28, 10))


def releases(week):
    for day, hour, number, service in RELEASES:
        week.add(week.at(day, hour), "release.deployed", None,
                 {"release": {"version": number, "service": service, "commit": week.dice.hex(12)}})


def known_issues(week):
    for ident, title, opened, closed in (("KI-41", "Invoice PDFs fail to render", (0, 9.8), (0, 14.6)),
                                         ("KI-42", "Log-in unavailable", (1, 12.3), (1, 12.7)),
                                         ("KI-43", "Exports time out", (2, 15), (3, 17.2)),
                                         ("KI-44", "Partner rejects ledger sync", (2, 10.5), (2, 13.5))):
        for status, when in (("open", opened), ("resolved", closed)):
            week.add(week.at(*when), "known_issue.updated", None, {"known_issue": {"id": ident, "title": title, "status": status}})


def invoices_fail(week):
    some = [a for i, a in enumerate(week.accounts) if i % 5 in (0, 2)]
    place = ("/billing/invoices/{id}?tab=pdf", "download", some)
    for hour, errors in ((9.08, 14), (10, 30), (11, 26), (12, 17), (13, 22), (14, 15)):
        burst(week, (week.at(0, hour), HOUR), errors, place, INVOICE)
    burst(week, (week.at(0, 15), 2 * HOUR), 5, place, INVOICE)  # tabs that were still open
    wave(week, (week.at(0, 9.3), 6 * HOUR), 34, "invoice", 0.25)


def login_outage(week):
    place = ("/login", "submit", week.accounts)
    for minute, errors in ((5, 60), (10, 150), (15, 190), (20, 140), (25, 70)):
        burst(week, (week.at(1, 12) + minute * MINUTE, 5 * MINUTE), errors, place, LOGIN)
    wave(week, (week.at(1, 12.15), 40 * MINUTE), 62, "login", 0.2)


def exports_drip(week):
    some = [a for a in week.accounts if a["tier"] in ("business", "enterprise")]
    for hour in range(34):
        for t in range(week.dice.between(3, 5)):
            at = week.at(2, 7 + hour) + week.dice.between(0, HOUR - 1)
            week.page_error(at, week.dice.pick(some), ("/reports/exports/{uuid}", "export"), EXPORT)
    wave(week, (week.at(2, 8), 30 * HOUR), 11, "export", 0.3)


def partner_change(week):
    for hour in range(9, 13):
        start = week.at(2, hour)
        for t in week.dice.moments(start, HOUR, 12):
            week.ticket(t, week.account(), "integrations")
    wave(week, (week.at(2, 9.2), 4 * HOUR), 12, "partner", 0.1)


def checkout_of_one(week):
    one = [a for a in week.accounts if a["id"] == "tidewater"]
    for start, length, errors in ((10.17, 50 * MINUTE, 26), (11.2, 90 * MINUTE, 14)):
        for t in week.dice.moments(week.at(3, start), length, errors):
            week.page_error(t, one[0], ("/checkout/{id}/confirm", "pay"), CHECKOUT, users=4)


def weekend(week):
    some = [a for a in week.accounts if a["tier"] == "business"]
    burst(week, (week.at(5, 1), 2 * HOUR), 118, ("/imports/{hex}", "run", some), IMPORT)
    for minute in (4, 31, 58):
        week.page_error(week.at(6, 13) + minute * MINUTE, week.account(), ("/settings/roles/{id}", "save"), ROLES)
    for minute in (10, 40):
        week.page_error(week.at(6, 17) + minute * MINUTE, week.account(), ("/profile/badges/{id}", "open"), BADGE)


def angry_accounts(week):
    for account in week.accounts:
        for day in ANGRY.get(account["id"], ()):
            t = next_shift(week.at(day, 0), week.dice) + week.dice.between(0, 20 * MINUTE)
            week.ticket(t, account, week.dice.pick(["billing", "exports", "reporting"]), None, week.dice.between(-95, -45))


def tell(week):
    for chapter in (releases, known_issues, invoices_fail, login_outage, exports_drip, partner_change, checkout_of_one,
                    weekend, angry_accounts):
        chapter(week)
