"""How each language says what is written short: abbreviations, units, coins, fractions, times. Data, by language."""

from __future__ import annotations

from pipelines.speech_voices import Language

LOCALES: dict[Language, str] = {
    "en-us": "en_US",
    "en-gb": "en_GB",
    "es": "es",
    "fr-fr": "fr",
    "hi": "hi",
    "it": "it",
    "pt-br": "pt_BR",
}

_ENGLISH = {
    "Mr.": "Mister", "Mrs.": "Missus", "Ms.": "Miz", "Dr.": "Doctor", "Prof.": "Professor", "St.": "Saint",
    "Jr.": "Junior", "Sr.": "Senior", "vs.": "versus", "etc.": "et cetera", "e.g.": "for example", "i.e.": "that is",
    "approx.": "approximately", "No.": "number", "Nos.": "numbers", "Fig.": "figure", "Vol.": "volume", "pp.": "pages",
    "p.": "page", "Mt.": "Mount", "Ave.": "Avenue", "Rd.": "Road", "Inc.": "Incorporated", "Ltd.": "Limited",
    "Co.": "Company", "Corp.": "Corporation", "dept.": "department", "est.": "established", "Gen.": "General",
    "Lt.": "Lieutenant", "Capt.": "Captain", "Sgt.": "Sergeant", "Col.": "Colonel", "Rev.": "Reverend",
    "Gov.": "Governor", "Sen.": "Senator", "Ph.D.": "P H D", "Jan.": "January", "Feb.": "February", "Mar.": "March",
    "Apr.": "April", "Aug.": "August", "Sept.": "September", "Oct.": "October", "Nov.": "November",
    "Dec.": "December", "a.m.": "AM", "p.m.": "PM", "A.M.": "AM", "P.M.": "PM", "U.S.": "U S", "U.K.": "U K",
    "#": "number ", "~": "about ",
}  # fmt: skip
ABBREVIATIONS: dict[Language, dict[str, str]] = {
    "en-us": _ENGLISH,
    "en-gb": _ENGLISH,
    "es": {
        "Sr.": "señor", "Sra.": "señora", "Srta.": "señorita", "Dr.": "doctor", "Dra.": "doctora", "Ud.": "usted",
        "Uds.": "ustedes", "etc.": "etcétera", "p. ej.": "por ejemplo", "EE. UU.": "Estados Unidos",
        "EE.UU.": "Estados Unidos", "pág.": "página", "tel.": "teléfono", "núm.": "número", "n.º": "número",
        "N.º": "número", "a. C.": "antes de Cristo", "d. C.": "después de Cristo", "aprox.": "aproximadamente",
        "Av.": "avenida",
    },
    "fr-fr": {
        "M.": "monsieur", "MM.": "messieurs", "Mme": "madame", "Mlle": "mademoiselle", "Dr": "docteur",
        "Pr": "professeur", "etc.": "et cetera", "p. ex.": "par exemple", "c.-à-d.": "c'est-à-dire", "n°": "numéro",
        "N°": "numéro", "nº": "numéro", "St": "saint", "Ste": "sainte", "tél.": "téléphone", "p.": "page",
    },
    "hi": {"डॉ.": "डॉक्टर", "श्री.": "श्री", "रु.": "रुपए", "नं.": "नंबर"},
    "it": {
        "Sig.": "signor", "Sig.ra": "signora", "Dott.": "dottor", "Dott.ssa": "dottoressa", "Prof.": "professor",
        "ecc.": "eccetera", "es.": "esempio", "pag.": "pagina", "Avv.": "avvocato", "Ing.": "ingegner",
        "mln": "milioni", "mld": "miliardi", "tel.": "telefono", "n.": "numero",
        "a.C.": "avanti Cristo", "d.C.": "dopo Cristo",
    },
    "pt-br": {
        "Sr.": "senhor", "Sra.": "senhora", "Dr.": "doutor", "Dra.": "doutora", "Prof.": "professor",
        "etc.": "etcétera", "p. ex.": "por exemplo", "pág.": "página", "Av.": "avenida", "tel.": "telefone",
        "n.º": "número", "N.º": "número", "a.C.": "antes de Cristo", "d.C.": "depois de Cristo",
    },
}  # fmt: skip
BEFORE_FIGURES = ("No.", "Nos.", "Mar.", "p.", "n.", "#", "~")  # nowhere else: “No.” is a sentence too

CURRENCIES = {"R$": "BRL", "US$": "USD", "$": "USD", "€": "EUR", "£": "GBP", "₹": "INR", "¥": "JPY"}
CENTS = {  # the small coin, one and several, and the word before it; "" where it is said without one
    "en": ("cent", "cents", "and"),
    "es": ("céntimo", "céntimos", "con"),
    "fr": ("centime", "centimes", "et"),
    "hi": ("पैसा", "पैसे", ""),
    "it": ("centesimo", "centesimi", "e"),
    "pt": ("centavo", "centavos", "e"),
}
SAID_MONEY = {  # without the country, which CLDR names
    "en": {
        "USD": ("dollar", "dollars"),
        "GBP": ("pound", "pounds"),
        "JPY": ("yen", "yen"),
        "INR": ("rupee", "rupees"),
    },
    "es": {"USD": ("dólar", "dólares")},
    "fr": {"USD": ("dollar", "dollars")},
    "hi": {"USD": ("डॉलर", "डॉलर"), "INR": ("रुपया", "रुपए")},
    "it": {"USD": ("dollaro", "dollari")},
    "pt": {"USD": ("dólar", "dólares"), "BRL": ("real", "reais")},
}
UNITS = {
    "km/h": "kilometer-per-hour", "mph": "mile-per-hour", "km": "kilometer", "cm": "centimeter", "mm": "millimeter",
    "m": "meter", "kg": "kilogram", "mg": "milligram", "g": "gram", "ml": "milliliter", "l": "liter", "L": "liter",
    "°C": "celsius", "°F": "fahrenheit", "%": "percent", "GB": "gigabyte", "MB": "megabyte", "kB": "kilobyte",
    "TB": "terabyte", "GHz": "gigahertz", "MHz": "megahertz", "kHz": "kilohertz", "Hz": "hertz", "kW": "kilowatt",
    "ms": "millisecond", "s": "second", "min": "minute", "h": "hour", "hr": "hour", "hrs": "hour",
    "kWh": "kilowatt-hour", "m/s": "meter-per-second", "m²": "square-meter", "km²": "square-kilometer",
    "m³": "cubic-meter", "ºC": "celsius", "ft": "foot", "lb": "pound", "lbs": "pound", "oz": "ounce", "°": "degree",
}  # fmt: skip


SCALE = (
    "thousand|million|billion|trillion|mil|millón|millones|millions?|milliards?|milion[ei]|miliard[oi]|milhão|milhões|"
    "bilhões|लाख|करोड़"
)
SCALES = {  # as they are written short, right after the figures
    "en": {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion", "tn": "trillion"},
    "es": {"k": "mil", "m": "millones"},
    "fr": {"k": "mille", "m": "millions", "md": "milliards"},
    "it": {"k": "mila"},
    "pt": {"k": "mil", "mi": "milhões", "bi": "bilhões"},
}

WORDS = {  # between other words: a range, an address, a fraction, millions and what they are of
    "en": {"to": "to", "dot": "dot", "at": "at", "slash": "slash", "and": "and", "of": ""},
    "es": {"to": "a", "dot": "punto", "at": "arroba", "slash": "barra", "and": "y", "of": "de"},
    "fr": {"to": "à", "dot": "point", "at": "arobase", "slash": "slash", "and": "et", "of": "de"},
    "hi": {"to": "से", "dot": "डॉट", "at": "ऐट", "slash": "स्लैश", "and": "और", "of": ""},
    "it": {"to": "a", "dot": "punto", "at": "chiocciola", "slash": "barra", "and": "e", "of": "di"},
    "pt": {"to": "a", "dot": "ponto", "at": "arroba", "slash": "barra", "and": "e", "of": "de"},
}
CLOCK = {  # a time with minutes, and one without; English has its own way
    "es": ("{} y {}", "{} horas"),
    "fr": ("{} heures {}", "{} heures"),
    "hi": ("{} बजकर {} मिनट", "{} बजे"),
    "it": ("{} e {}", "{}"),
    "pt": ("{} horas e {}", "{} horas"),
}
FRACTIONS = {
    "en": {"1/2": "a half", "1/3": "a third", "2/3": "two thirds", "1/4": "a quarter", "3/4": "three quarters"},
    "es": {"1/2": "un medio", "1/3": "un tercio", "2/3": "dos tercios", "1/4": "un cuarto", "3/4": "tres cuartos"},
    "fr": {"1/2": "un demi", "1/3": "un tiers", "2/3": "deux tiers", "1/4": "un quart", "3/4": "trois quarts"},
    "hi": {"1/2": "आधा", "1/3": "एक तिहाई", "2/3": "दो तिहाई", "1/4": "एक चौथाई", "3/4": "तीन चौथाई"},
    "it": {"1/2": "un mezzo", "1/3": "un terzo", "2/3": "due terzi", "1/4": "un quarto", "3/4": "tre quarti"},
    "pt": {"1/2": "um meio", "1/3": "um terço", "2/3": "dois terços", "1/4": "um quarto", "3/4": "três quartos"},
}
SIGNS = {"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4"}

REIGNED = frozenset(  # who is told from others of the name by a number: Henry the 8th, but World War 2
    (
        "Alexander", "Alfonso", "Benedict", "Carlos", "Catherine", "Charles", "Edward", "Elizabeth", "Felipe",
        "Ferdinand", "Fernando", "Francis", "Frederick", "George", "Gregory", "Henry", "Isabel", "Ivan", "James",
        "João", "Leo", "Leopold", "Louis", "Mary", "Napoleon", "Nicholas", "Paul", "Pedro", "Peter", "Philip", "Pius",
        "Ramses", "Richard", "Victor", "Wilhelm", "William",
    )
)  # fmt: skip
COUNTED = frozenset(  # what has numbers, even those of one letter
    (
        "Act", "Appendix", "Article", "Book", "Chapter", "Figure", "Level", "Part", "Phase", "Scene", "Section",
        "Stage", "Table", "Type", "Volume", "War", "siglo", "século", "capítulo", "Capítulo",
    )
)  # fmt: skip
