// The facts: looked up and printed, never computed. A unit is {level, at}, its place in the columns of its level.
const facts = JSON.parse(document.getElementById("facts").textContent);
const LEVELS = ["county", "place", "state", "entry"];
const KINDS = {county: "County", city: "City", town: "Town or township", state: "State", entry: "Entry without a government"};
const columns = new Map(facts.columns.map(column => [column.name, column]));

// A text of a packed table: texts that repeat stand once.
const unpack = (packed, row) => packed.at ? packed.texts[packed.at[row]] : packed.texts[row];
const textOf = (unit, name) => unpack(facts.levels[unit.level][name], unit.at);
const codes = text => text ? text.split(";") : [];

// As a reader may type it: without accents, apostrophes, points and commas, with St. for Saint.
const folded = text => text.normalize("NFD").replace(/[\u0300-\u036f.'‘’ʻ`]/g, "").replace(/,/g, " ").toLowerCase().replace(/\bsaint\b/g, "st");
const KIND_WORDS = /^(city and county|city and borough|city|town|township|village|borough|charter township|municipality|urban county) of | (county|parish|borough|census area|municipality|planning region|city|city and borough)$/g;

// The state of a code, or of the address of an entry without one.
const postalCodes = new Map(Object.values(facts.states));
const stateOfKey = key => facts.states[key.slice(0, 2)]?.[0] ?? key.split("-")[1].toUpperCase();
const kindOf = (level, key) => level !== "place" ? level : key.length === 7 ? "city" : "town";

const units = LEVELS.flatMap(level => facts.levels[level].keys.map((key, at) => ({level, at, key})));
const byKey = new Map(units.map(unit => [unit.key, unit]));
for (const unit of units) {
  unit.name = facts.levels[unit.level].names[unit.at];
  unit.state = stateOfKey(unit.key);
  unit.stateName = postalCodes.get(unit.state) ?? unit.state;
  unit.title = unit.level === "state" ? unit.name : `${unit.name}, ${unit.state}`;
  unit.kind = kindOf(unit.level, unit.key);
  unit.search = folded(`${unit.title} ${unit.stateName} ${unit.key}${unit.kind === "state" ? " state" : ""}`);
}

// The unit that a code of an address means: its own, or another code of the same government; the Census's long
// form, 0500000US17031, too.
function unitOf(code) {
  const short = code.toLowerCase().replace(/^\d{3}[\da-z]{2}\d{2}us(?=\d)/, "");
  return byKey.get(short) ?? byKey.get(facts.others[short]);
}

// The other codes of a unit's government, those too that only the other one names.
const namedBy = new Map();
for (const unit of units) for (const code of codes(textOf(unit, "also_geoids"))) namedBy.set(code, [...(namedBy.get(code) ?? []), unit.key]);
const otherCodes = unit => [...new Set([...codes(textOf(unit, "also_geoids")), ...(namedBy.get(unit.key) ?? [])])];

// A column's text as values: a number, a place among choices, or null where it is missing.
const numberOr = text => text === "" || text === "-" ? null : Number(text);
for (const level of Object.values(facts.levels)) {
  for (const [name, text] of Object.entries(level.values)) level.values[name] = (columns.get(name).choices ? [...text] : text.split(",")).map(numberOr);
  for (const [name, text] of Object.entries(level.margins)) level.margins[name] = text.split(",").map(numberOr);
}

// A value as it stands in the page; undefined where the unit's level has no such column.
const valueOf = (unit, name) => facts.levels[unit.level].values[name]?.[unit.at];

const formats = [0, 1, 2, 3].map(digits => new Intl.NumberFormat("en-US", {minimumFractionDigits: digits, maximumFractionDigits: digits}));

function printed(column, value) {
  if (value === undefined) return "not held at this level";
  if (value === null) return "missing";
  if (column.choices) return column.choices[value];
  const sign = value < 0 ? "-" : column.signed && value > 0 ? "+" : "";
  return sign + column.prefix + formats[column.decimals].format(Math.abs(value)) + column.suffix;
}

// An entry that no government was settled for is printed on a list; nobody's government is listed by it.
function told(unit, name) {
  const value = valueOf(unit, name);
  if (unit.level === "entry" && name in facts.lists) return value ? "printed, without a government" : "not printed";
  return printed(columns.get(name), value);
}

// The 90 % margin of error of a value; "" where the source has none.
function margin(unit, name) {
  const column = columns.get(name), value = facts.levels[unit.level].margins[name]?.[unit.at];
  if (value === undefined || value === null) return "";
  return "± " + column.prefix + formats[column.decimals].format(value) + column.margin;
}

// The tables of texts, by the codes of the pages that show their rows.
const records = {};
for (const [name, packed] of Object.entries(facts.records)) {
  const fields = Object.keys(packed), found = records[name] = new Map();
  const rows = (packed.codes.at ?? packed.codes.texts).length;
  for (let row = 0; row < rows; row++) {
    const record = Object.fromEntries(fields.map(field => [field, unpack(packed[field], row)]));
    for (const code of codes(record.codes)) {
      const key = unitOf(code)?.key ?? code;
      const list = found.get(key) ?? found.set(key, []).get(key);
      if (!list.includes(record)) list.push(record);
    }
  }
}
const recordsOf = (unit, name) => records[name].get(unit.key) ?? [];

const neighbours = new Map(units.map(unit => [unit.key, []]));
for (const level of ["county", "state"]) {
  const keys = facts.levels[level].keys;
  facts.neighbours[level].forEach((later, at) => {
    for (const other of later) {
      neighbours.get(keys[at]).push(byKey.get(keys[other]));
      neighbours.get(keys[other]).push(byKey.get(keys[at]));
    }
  });
}

// Elements are made of text alone, so that no name can be taken for markup.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.addEventListener("click", value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter(child => child !== null && child !== ""));
  return made;
}

const linkTo = (unit, text = unit.title) => element("a", {href: `#${unit.key}`}, text);

// How near a unit is to what was asked: its code, a state's name, another's name, all in whole words, their
// beginning, any other way.
function distance(unit, asked) {
  if (unit.key === asked[0]) return 0;
  const name = folded(unit.name), phrase = asked.join(" ");
  if (name === phrase || name.replace(KIND_WORDS, "") === phrase) return unit.level === "state" ? 1 : 2;
  const own = name.split(/\s+/), rest = asked.filter(word => !own.includes(word));
  const state = [unit.state.toLowerCase(), folded(unit.stateName), "state", ""];
  if (rest.length < asked.length && state.includes(rest.join(" "))) return 3 + rest.length / 10;
  return name.startsWith(phrase) ? 4 : name.startsWith(asked[0]) ? 5 : 6;
}

// Units whose name or code holds every word, the nearest first.
function find(words, most = 8) {
  const asked = folded(words).trim().split(/\s+/).filter(Boolean);
  if (!asked.length) return {found: [], all: 0};
  const hits = units.filter(unit => asked.every(word => unit.search.includes(word)));
  const order = hits.map(unit => [distance(unit, asked), unit]).sort((one, other) => one[0] - other[0]);
  return {found: order.slice(0, most).map(pair => pair[1]), all: hits.length};
}
