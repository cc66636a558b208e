"""What customers write: for every language the things they write about, what is wrong, and a remark.

A subject is "THING: WRONG REMARK" in one of two orders, so that the parts fit in every language; there are far more
combinations than tickets, so a subject that comes back five times in a week is one that an incident put there.
"""
CATEGORIES = ["billing", "login", "exports", "integrations", "reporting", "team", "mobile", "other"]
FEATURES = {"billing": "invoices", "login": "sso", "exports": "exports", "integrations": "webhooks",
            "reporting": "dashboards", "team": "roles", "mobile": "app", "other": None}

THINGS = {
    "en": {"billing": "invoice layout|dunning e-mails|tax rate|credit note|card on file|proration",
           "login": "single sign-on|password reset|two-factor codes|session time|magic link",
           "exports": "CSV export|DATEV file|bulk download|scheduled export|export columns",
           "integrations": "webhook signature|Zapier-style hook|ledger sync|API key|sandbox",
           "reporting": "revenue dashboard|churn chart|monthly report|cohort table|filters",
           "team": "invited colleague|roles|approval step|seat count|audit trail",
           "mobile": "phone app|push messages|scanner|tablet view|offline mode",
           "other": "help page|onboarding call|data location|feature wish|training"},
    "de": {"billing": "Rechnungslayout|Mahnungen|Steuersatz|Gutschrift|Lastschrift|Staffelpreise",
           "login": "Anmeldung per SSO|Passwort-Mail|Zwei-Faktor-Code|Sitzungsdauer|Einmal-Link",
           "exports": "CSV-Export|DATEV-Datei|Sammel-Download|Geplanter Export|Spaltenauswahl",
           "integrations": "Webhook-Signatur|Warenwirtschaft|API-Schlüssel|Abgleich|Testumgebung",
           "reporting": "Umsatzübersicht|Kündigungsquote|Monatsbericht|Filter|Diagramm",
           "team": "Eingeladene Kollegin|Rollen|Freigabe|Lizenzzahl|Änderungsprotokoll",
           "mobile": "App|Push-Nachrichten|Belegscanner|Tablet-Ansicht|Offline-Modus",
           "other": "Hilfeseite|Einführung|Serverstandort|Wunsch|Schulung"},
    "fr": {"billing": "mise en page des factures|relances|taux de TVA|avoir|prélèvement",
           "login": "connexion unique|mot de passe|code à deux facteurs|durée de session",
           "exports": "export CSV|téléchargement groupé|export programmé|colonnes",
           "integrations": "signature du webhook|synchronisation|clé d’API|bac à sable",
           "reporting": "tableau de bord|taux d’attrition|rapport mensuel|filtres",
           "team": "collègue invitée|rôles|validation|nombre de places", "mobile": "application|notifications|scanner|tablette",
           "other": "page d’aide|prise en main|lieu des données|souhait"},
    "es": {"billing": "formato de facturas|recordatorios|tipo de IVA|nota de crédito|domiciliación",
           "login": "inicio de sesión único|contraseña|código de dos pasos|duración de sesión",
           "exports": "exportación CSV|descarga masiva|exportación programada|columnas",
           "integrations": "firma del webhook|sincronización|clave de API|entorno de pruebas",
           "reporting": "panel de ingresos|tasa de bajas|informe mensual|filtros",
           "team": "compañera invitada|roles|aprobación|número de plazas", "mobile": "aplicación|avisos|escáner|tableta",
           "other": "página de ayuda|puesta en marcha|ubicación de datos|deseo"},
    "pl": {"billing": "wygląd faktury|monity|stawka VAT|korekta|polecenie zapłaty",
           "login": "logowanie SSO|hasło|kod dwuskładnikowy|czas sesji", "exports": "eksport CSV|pobieranie zbiorcze|kolumny",
           "integrations": "podpis webhooka|synchronizacja|klucz API|piaskownica",
           "reporting": "pulpit przychodów|raport miesięczny|filtry", "team": "zaproszona koleżanka|role|akceptacja",
           "mobile": "aplikacja|powiadomienia|skaner", "other": "strona pomocy|wdrożenie|miejsce danych"},
    "ja": {"billing": "請求書の様式|督促メール|消費税率|返金伝票|口座振替", "login": "シングルサインオン|パスワード|二段階認証|セッション",
           "exports": "CSV出力|一括ダウンロード|定期出力", "integrations": "Webhook署名|同期|APIキー",
           "reporting": "売上ダッシュボード|月次報告|フィルター", "team": "招待した同僚|権限|承認", "mobile": "アプリ|通知|スキャナー",
           "other": "ヘルプページ|導入|データの所在"},
    "ar": {"billing": "تصميم الفاتورة|رسائل التذكير|نسبة الضريبة|إشعار دائن", "login": "تسجيل الدخول الموحد|كلمة المرور|رمز التحقق",
           "exports": "تصدير CSV|تنزيل جماعي", "integrations": "توقيع الويب هوك|المزامنة|مفتاح API",
           "reporting": "لوحة الإيرادات|التقرير الشهري", "team": "زميلة مدعوة|الأدوار", "mobile": "التطبيق|الإشعارات",
           "other": "صفحة المساعدة|موقع البيانات"},
}

WRONG = {
    "en": "does not load|shows the wrong total|is empty|stopped working|cannot be changed|appears twice|how does it work?|is too slow|"
          "needs an owner|lost our settings|question|can we rename it?|missing since yesterday|looks broken",
    "de": "lädt nicht|falscher Betrag|leer|geht nicht mehr|lässt sich nicht ändern|doppelt|wie geht das?|zu langsam|Frage|"
          "Einstellungen verloren|Umbenennen möglich?|fehlt seit gestern|sieht kaputt aus",
    "fr": "ne charge pas|montant faux|vide|ne marche plus|impossible à modifier|en double|comment faire ?|trop lent|question|réglages perdus",
    "es": "no carga|importe incorrecto|vacío|dejó de funcionar|no se puede cambiar|duplicado|¿cómo se hace?|muy lento|consulta|ajustes perdidos",
    "pl": "nie ładuje się|zła kwota|puste|przestało działać|nie da się zmienić|podwójnie|jak to zrobić?|za wolno|pytanie",
    "ja": "表示されない|金額が違う|空になる|動かなくなった|変更できない|二重に出る|使い方は?|遅い|質問",
    "ar": "لا يعمل|المبلغ خاطئ|فارغ|توقف فجأة|لا يمكن تغييره|مكرر|كيف يعمل؟|بطيء جدا|سؤال",
}

REMARK = {
    "en": "|since the update|in Firefox|for one customer|on Mondays|after the import|for our Swiss branch|in the archive|when printing|"
          "with long names|for euro and dollar|in dark mode 🌙|before the audit|again 😕|on the train|for new staff",
    "de": "|seit dem Update|in Firefox|bei einem Kunden|montags|nach dem Import|für die Schweiz|im Archiv|beim Drucken|bei langen Namen|"
          "in Euro und Franken|vor der Prüfung|schon wieder 😕|unterwegs|für neue Leute",
    "fr": "|depuis la mise à jour|dans Firefox|pour un client|le lundi|après l’import|pour la Suisse|à l’impression|encore 😕|avant l’audit|en mobilité",
    "es": "|desde la actualización|en Firefox|con un cliente|los lunes|tras la importación|al imprimir|otra vez 😕|antes de la auditoría|en México",
    "pl": "|po aktualizacji|w Firefoksie|u jednego klienta|w poniedziałki|po imporcie|przy druku|znowu 😕|przed audytem|w archiwum",
    "ja": "|更新後|Firefoxで|一部の顧客で|月曜日に|印刷時|監査前|また 😕|取込後|スマホで", "ar": "|بعد التحديث|في فايرفوكس|لعميل واحد|عند الطباعة|مرة أخرى 😕|قبل التدقيق|في الأرشيف",
}

BODIES = {"en": "Could you have a look? Thanks.|This blocks our closing.|No hurry, just wondering.|We tried twice, same result.",
          "de": "Könnt ihr bitte schauen? Danke!|Das blockiert unseren Abschluss.|Eilt nicht.|Zweimal versucht, gleiches Ergebnis.",
          "fr": "Pouvez-vous regarder ? Merci.|Cela bloque notre clôture.|Rien d’urgent.",
          "es": "¿Pueden mirarlo? Gracias.|Esto bloquea nuestro cierre.|Sin prisa.",
          "pl": "Proszę o sprawdzenie, dziękuję.|To blokuje nam zamknięcie miesiąca.",
          "ja": "ご確認をお願いします。|月末の締めが止まっています。", "ar": "نرجو التحقق، شكرا.|هذا يوقف إقفال الشهر."}

# One-off errors: pages by words, so that no two of them are one page when ids are taken out.
PAGES = ["billing/%s" % p for p in "invoices taxes discounts dunning payouts refunds currencies plans coupons".split()] + \
        ["reports/%s" % p for p in "revenue churn cohorts aging forecast margins goals".split()] + \
        ["settings/%s" % p for p in "profile branding roles webhooks apikeys domains sessions language".split()] + \
        ["crm/%s" % p for p in "list merge notes tags segments imports contracts".split()] + \
        ["home", "search", "inbox", "calendar", "approvals", "audit", "help", "status", "ledger", "quotes"]
ERRORS = [
    ("TypeError", None, "Property %s of null cannot be read" % w)
    for w in "total currency parent width country discount lines owner period status".split()] + [
    ("RangeError", None, "Invalid %s value" % w) for w in "date percent page zoom interval quantity".split()] + [
    ("HttpError", c, m) for c, m in (
        ("NET_499", "Client closed the connection after {n} ms"), ("GW_502", "Upstream answered with an empty body"),
        ("RATE_429", "Too many requests, retry in {n} seconds"), ("LOCK_409", "Record {uuid} was changed by somebody else"),
        ("GONE_410", "Draft {hex} has been removed"), ("SIZE_413", "Upload of {n} bytes is too large"),
        ("AUTH_401", "Token {hex} has expired"), ("DNS_504", "No answer from 198.51.100.{n}"),
        ("CSRF_403", "Form token does not match the session"), ("MIME_415", "File type is not supported"))] + [
    ("ChunkLoadError", None, "Loading chunk {n} failed"), ("QuotaExceededError", None, "Local storage is full"),
    ("SecurityError", None, "Blocked a frame with origin https://embed.example.net"), ("SyntaxError", None, "Unexpected end of input"),
    ("AbortError", None, "The user aborted a request"), ("ResizeError", None, "Loop completed with undelivered notifications")]


def subject(dice, tongue, category):
    thing = dice.pick(THINGS[tongue][category].split("|"))
    wrong = dice.pick(WRONG[tongue].split("|"))
    remark = dice.pick(REMARK[tongue].split("|"))
    if remark and dice.chance(0.4):
        return "%s (%s): %s" % (thing, remark, wrong)
    return ("%s: %s %s" % (thing, wrong, remark)).strip()


def filled(dice, text):
    """Fresh ids, numbers and hex in place of {n}, {hex}, {uuid}."""
    for mark, fresh in (("{n}", lambda: str(dice.between(11, 249))), ("{id}", lambda: str(dice.between(1000, 9999))),
                        ("{hex}", lambda: dice.hex(8)), ("{uuid}", dice.uuid)):
        while mark in text:
            text = text.replace(mark, fresh(), 1)
    return text
