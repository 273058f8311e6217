"""The words the population is made of: names of companies and products, among them hostile ones."""

from __future__ import annotations

FIRST_WORDS = (
    "Northwind", "Aldergate", "Bluefield", "Corvus", "Dunmore", "Eastlake", "Fairhaven", "Granite",
    "Hollis", "Ironbridge", "Juniper", "Kestrel", "Larkspur", "Meridian", "Norfolk", "Oakhurst",
    "Pemberton", "Quarry", "Redwood", "Silverline", "Thornton", "Umbra", "Verity", "Westgate",
)  # fmt: skip
TRADES = (
    "Logistics", "Foods", "Chemicals", "Health", "Packaging", "Energy", "Retail", "Insurance",
    "Aerospace", "Textiles", "Media", "Automotive", "Dairy", "Instruments", "Paper", "Software",
)  # fmt: skip
LEGAL_FORMS = ("Inc.", "Ltd", "GmbH", "S.A.", "AB", "Holdings", "Group", "plc")

HOSTILE_NAMES = (
    "東京精密工業株式会社",
    "Société Générale d'Électricité « Nord »",
    "Компания «Северный ветер»",
    "شركة النور للتجارة",
    "Ἀθῆναι Ναυτιλιακή",
    "Müller & Söhne GmbH",
    'O\'Reilly "Prime" Holdings',
    "<script>alert('deal')</script>",
    "🚀 Rocket Foods 🥕",
    "::error::Northwind",
    "Robert'); DROP TABLE deals;--",
    "100 % {braces} $dollar \\backslash Ltd",
    '=HYPERLINK("http://example.invalid","Corvus")',
    "Two\nLines Media",
    "Longest Possible Name of a Company " + "x" * 220,
)

PRODUCTS = {
    "ERP": ("SAP", "Oracle", "Infor", "Microsoft"),
    "HCM": ("Workday", "SAP", "Oracle", "ADP"),
    "CRM": ("Salesforce", "Microsoft", "HubSpot", "SAP"),
    "Finance": ("Coupa", "BlackLine", "Oracle", "Anaplan"),
    "Collaboration": ("Microsoft", "Google", "Zoom"),
    "Telecom": ("Verizon", "Vodafone", "Orange"),
    "Analytics": ("Tableau", "Microsoft", "Qlik", "SAS"),
    "Service Desk": ("ServiceNow", "Atlassian", "Freshworks"),
    "E-commerce": ("Shopify", "Adobe", "SAP"),
    "Supply Chain": ("Blue Yonder", "Manhattan", "Kinaxis"),
    "Documents": ("OpenText", "Box", "Microsoft"),
    "Engineering": ("Siemens", "PTC", "Autodesk"),
}
EVERYDAY_CATEGORIES = tuple(category for category in PRODUCTS if category != "ERP")

SECURITY_TOOLS = ("Endpoint Protection", "SIEM", "Firewall", "Vulnerability Scanner", "Mail Gateway")
TEAMS = ("Service Desk Team", "Application Team", "Infrastructure Team", "Security Team", "Programme Office")
TASKS = ("Migrate", "Reconfigure", "Test", "Document", "Cut over", "Decommission")
CHORES = ("Rename", "Re-home", "Verify", "Hand over", "Sign off", "Retire")
