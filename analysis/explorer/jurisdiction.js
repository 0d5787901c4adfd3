// The page of a jurisdiction, and up to four of them side by side.
const MOST = 4, SHORT = /^[±$\d][^a-z]{0,22}( points)?$/; // days and numbers keep to one line
const WIDE = new Set(["On the lists", "Federal money, by reading", "Figures"]);
const section = (title, ...children) => children.flat().some(Boolean)
  ? element("section", {class: WIDE.has(title) ? "wide" : ""}, element("h2", {}, title), ...children.flat().filter(Boolean)) : null;
const grid = (caption, head, rows) => rows.length ? element("div", {class: "table-scroll", role: "region", "aria-label": caption, tabindex: "0"},
  element("table", {}, element("caption", {class: "unseen"}, caption),
    element("thead", {}, element("tr", {}, head.map(text => element("th", {scope: "col"}, text)))),
    element("tbody", {}, rows.map(row => element("tr", {}, row.map((cell, at) => element(at ? "td" : "th", {...(at ? {} : {scope: "row"}), ...(SHORT.test(cell) ? {class: "short"} : {})}, cell))))))) : null;
const list = items => items.length ? element("ul", {}, items.map(item => element("li", {}, item))) : null;
const between = (items, mark = ", ") => items.flatMap((item, at) => at ? [mark, item] : [item]);
const sentence = text => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

const listedOn = (unit, name) => valueOf(unit, name) ?? 0;
const stateOf = unit => units.find(each => each.level === "state" && each.state === unit.state);
const isListed = (unit, name = facts.main) => listedOn(unit, name) >= 2;

// One sentence: who listed it, and when; and what the model gives.
function lead(unit) {
  const on = Object.entries(facts.lists).filter(([name]) => isListed(unit, name)).map(([, each]) => each.said);
  const said = unit.level === "entry" ? `Printed by ${on.join("; ")}. No government was settled for it.`
    : on.length ? `Listed by ${on.join("; by ")}.` : "Its government is on none of the lists that are held here.";
  return said;
}

function sameGovernment(unit) {
  const others = otherCodes(unit), shown = others.filter(code => byKey.has(code) && code !== unit.key).map(code => byKey.get(code));
  const bare = others.filter(code => !byKey.has(code));
  const inside = codes(textOf(unit, "county_geoids")).map(unitOf).filter(each => each && !shown.includes(each) && each !== unit);
  return [
    shown.length ? element("p", {}, "The same government has a page under its other code: ", between(shown.map(each => element("span", {}, linkTo(each), ` (${KINDS[each.kind].toLowerCase()}, ${each.key})`))), ".") : null,
    bare.length ? element("p", {}, `Other codes of the same government: ${bare.join(", ")}.`) : null,
    inside.length ? element("p", {}, "It lies in ", between(inside.map(each => linkTo(each))), ".") : null,
  ];
}

// Lists that say the same of a unit share a row.
function onLists(unit) {
  const entries = recordsOf(unit, "entries"), rows = new Map();
  for (const [name, each] of Object.entries(facts.lists)) {
    const own = entries.filter(entry => entry.vintage === each.vintage);
    const printedAs = own.map(entry => `“${entry.text}” under ${entry.heading}${entry.place_on_page ? `, entry ${entry.place_on_page}` : ""}`);
    const read = own.map(entry => `${entry.read_as ? `as ${entry.read_as}` : "as no government"}${entry.geoid ? ` (${entry.geoid})` : ""}, ${entry.how}${entry.review ? "; in review" : ""}${entry.note ? `; ${entry.note}` : ""}`);
    const cells = [told(unit, name), printedAs, read], key = JSON.stringify(cells);
    rows.set(key, {lists: [...(rows.get(key)?.lists ?? []), each.said], cells});
  }
  const lines = (texts, none) => texts.length ? texts.map(text => element("div", {}, text)) : none;
  const shown = [...rows.values()].map(({lists, cells: [verdict, printedAs, read]}) => [lines(lists), verdict, lines(printedAs, "no entry"), lines(read, "–")]);
  const bases = new Map(entries.map(entry => [entry.vintage, entry.basis]));
  const said = vintage => Object.values(facts.lists).find(each => each.vintage === vintage)?.said ?? vintage;
  const state = unit.level === "state" || unit.level === "entry" ? null : stateOf(unit);
  return section("On the lists", grid("On the lists", ["List", "Its government", "As printed", "Read"], shown),
    state ? element("p", {}, "Its state, ", linkTo(state), `, on the main list: ${told(state, facts.main)}.`) : null,
    bases.size ? element("p", {class: "quiet"}, `How the entries are known. ${[...bases].map(([vintage, basis]) => `${said(vintage)}: ${basis}`).join("; ")}.`) : null);
}

function prediction(unit) {
  if (unit.level === "entry") return null;
  const why = textOf(unit, "no_probability");
  const note = "Of being on the main list, not of being a “sanctuary”; by a model of a few columns that has not seen the state. Limits are for the error of estimation alone.";
  if (valueOf(unit, "probability") === null || valueOf(unit, "probability") === undefined)
    return section("Predicted probability of being listed", element("p", {}, element("strong", {}, "Missing"), `: ${why || "the model has no such unit"}.`), element("p", {class: "quiet"}, note));
  const average = facts.averages[unit.level]?.[unit.state];
  const blocks = Object.entries(facts.blocks).filter(([name]) => typeof valueOf(unit, name) === "number");
  const known = recordsOf(unit, "reasons").map(each => each.reason);
  return section("Predicted probability of being listed",
    element("p", {}, element("strong", {}, told(unit, "probability")), ` (95 % limits ${told(unit, "conf_low")} to ${told(unit, "conf_high")}). Surprise: ${told(unit, "surprise")}.`),
    average ? element("p", {}, `With the average of every column in the other states it would be ${average}. What its own columns do to the odds:`) : null,
    grid("What its columns do to the odds", ["Columns", "Effect on the odds"], blocks.map(([name, label]) => [label, told(unit, name)])),
    known.length ? element("p", {}, sentence(`facts beside it: ${known.join("; ")}`)) : null,
    element("p", {class: "quiet"}, note));
}

// Days that follow one another with the same words, as one row.
function agreements(unit) {
  if (unit.level === "entry") return null;
  const days = Object.entries(facts.rosters), runs = [];
  for (const [name, day] of days) {
    const held = told(unit, name), last = runs.at(-1);
    if (last?.held === held) last.to = day;
    else runs.push({held, from: day, to: day});
  }
  const span = run => run.from === run.to ? run.from : `${run.from} to ${run.to}`;
  const whose = {county: "agencies of the county", place: "agencies of the city or town", state: "agencies of the state"}[unit.level];
  const every = days.map(([, day]) => day);
  const rows = recordsOf(unit, "agencies").map(each => {
    const on = every.filter((day, at) => each.days[at] === "1");
    return [each.agency, each.model, each.signed || "–", on.length > 1 ? `${on[0]} to ${on.at(-1)}` : on[0], each.note || "–"];
  });
  return section("287(g) agreements with ICE", element("p", {}, `Own ${whose}, on the rosters of ${every.length} days: `, between(runs.map(run => `${span(run)}: ${run.held}`), "; "), "."),
    grid("Agencies on the rosters", ["Agency as printed", "Model", "Signed", "On rosters", "Remark"], rows));
}

function money(unit) {
  const rows = recordsOf(unit, "money"), title = "Federal money, by reading";
  if (!rows.length) {
    const other = otherCodes(unit).map(code => byKey.get(code)).find(each => each && recordsOf(each, "money").length);
    return section(title, other ? element("p", {}, "It is counted once a government: ", linkTo(other), ` (${KINDS[other.kind].toLowerCase()}, ${other.key}).`)
      : element("p", {}, element("strong", {}, "Missing"), ": it is worked out for governments on a list alone."));
  }
  const known = rows.filter(row => row.amount), none = new Map();
  for (const row of rows.filter(each => !each.amount)) none.set(row.reason, [...(none.get(row.reason) ?? []), `${row.reading} (${row.measure})`]);
  const flags = [...new Set(known.flatMap(row => row.flags.split("; ")).filter(Boolean))];
  return section(title,
    element("p", {class: "quiet"}, "What is at stake depends on the reading. Each has its own measure; no two are to be compared or added. Range: the middle half of listed governments of the same kind."),
    grid("Federal money", ["Reading", "Measure", "Year", "Amount", "Per resident", "Range of the like"], known.map(row => [row.reading, row.measure, row.year || "–", row.amount, row.per_resident || "–", row.middle || "–"])),
    flags.length ? element("p", {}, sentence(`remarks: ${flags.join("; ")}`)) : null,
    none.size ? element("p", {}, "No figure for ", [...none].map(([reason, what]) => `${what.join(", ")}: ${reason}`).join("; "), ".") : null);
}

function figures(unit) {
  if (unit.level === "entry") return null;
  const skip = new Set(["Lists", "Prediction", "287(g)"]), known = [], absent = new Map();
  const cautions = codes(textOf(unit, "cautions")).map(each => facts.cautions[each]);
  const own = [...columns.values()].filter(column => !skip.has(column.group) && valueOf(unit, column.name) !== undefined);
  for (const column of own) {
    if (valueOf(unit, column.name) !== null) known.push([column.label, `${told(unit, column.name)} ${margin(unit, column.name)}`.trim(), column.until]);
    else {
      const why = cautions.length ? "see below" : facts.missing[column.name] ?? facts.missing[""];
      absent.set(why, [...(absent.get(why) ?? []), column.label]);
    }
  }
  const state = unit.level === "state" ? null : stateOf(unit);
  const half = Math.ceil(known.length / 2), head = ["Figure", "Value", "Until"];
  return [
    section("Figures", element("div", {class: "halves"}, grid("Figures, first half", head, known.slice(0, half)), grid("Figures, second half", head, known.slice(half))),
      element("p", {class: "quiet"}, "±: 90 % margin of error, where the source has one. Until: the last day measured. A city's vote is its county's."),
      state ? element("p", {}, "Who governs the state, and its laws: ", linkTo(state), ".") : null),
    section("What is missing, and why", absent.size || cautions.length ? [
      ...cautions.map(each => element("p", {}, each)),
      absent.size ? element("p", {}, [...absent].map(([why, what]) => `${what.join("; ")}${why === "see below" ? "" : ` (${why})`}`).join("; "), ".") : null,
    ] : element("p", {}, "None of the figures of this page.")),
  ];
}

function around(unit) {
  const near = neighbours.get(unit.key) ?? [];
  const inside = unit.level === "county" ? units.filter(each => each.level === "place" && isListed(each) && codes(textOf(each, "county_geoids")).includes(unit.key))
    : unit.level === "place" ? units.filter(each => each.level === "place" && each !== unit && isListed(each) && codes(textOf(each, "county_geoids")).some(code => codes(textOf(unit, "county_geoids")).includes(code)))
    : [];
  const marked = each => element("span", {}, linkTo(each), isListed(each) ? " (listed)" : " (not listed)");
  return section(unit.level === "place" ? "In the same county" : "Neighbours",
    near.length ? element("p", {}, between(near.map(marked)), ".") : null,
    inside.length ? element("p", {}, unit.level === "county" ? "Listed cities and towns in it: " : "Listed cities and towns: ", between(inside.map(each => linkTo(each))), ".") : null,
    near.length || inside.length ? element("p", {class: "quiet"}, "Listed or not: on the main list.") : null);
}

function doubts(unit) {
  const link = record => record.source ? [" (", element("a", {href: record.source, rel: "noreferrer"}, "source"), ")"] : "";
  const odd = [...new Set(recordsOf(unit, "oddities").map(each => `${each.kind}: ${each.evidence}${each.vintage ? ` (${codes(each.vintage).join(", ")})` : ""}`))];
  const dated = recordsOf(unit, "events").map(each => [`${each.date}: ${each.event}; here as ${each.role.replaceAll("_", " ")}`, link(each)].flat());
  return [section("Oddities of the entry, and what was said of it", list(odd)), section("Dated events that name it", list(dated))];
}

function pageOf(unit) {
  const made = element("article", {class: "jurisdiction", "aria-labelledby": `title-${unit.key}`},
    element("header", {}, element("p", {class: "quiet"}, unit.level === "entry" ? `${KINDS.entry}, ${unit.stateName}` : `${KINDS[unit.kind]}${unit.level === "state" ? "" : `, ${unit.stateName}`}, Census code ${unit.key}`),
      element("h1", {id: `title-${unit.key}`, tabindex: "-1"}, unit.title), element("p", {class: "lead"}, lead(unit)), sameGovernment(unit).filter(Boolean)),
    element("div", {class: "parts"}, [onLists(unit), prediction(unit), agreements(unit), money(unit), figures(unit), around(unit), doubts(unit)].flat().filter(Boolean)),
    element("p", {class: "quiet colophon"}, `Listed jurisdictions, version ${facts.version} of ${facts.released}. Being named on a list is no measure of any policy. ${facts.report}`));
  return made;
}

// Up to four units, a column each, every fact a row.
function comparison(chosen) {
  const head = ["Fact", ...chosen.map(unit => unit.title)];
  const rows = [["Kind", ...chosen.map(unit => KINDS[unit.kind])], ["Page", ...chosen.map(unit => linkTo(unit, unit.key))],
    ["As printed", ...chosen.map(unit => [...new Set(recordsOf(unit, "entries").map(entry => `“${entry.text}” under ${entry.heading}`))].join("; ") || "no entry")]];
  for (const column of columns.values()) {
    if (chosen.every(unit => valueOf(unit, column.name) === undefined)) continue;
    rows.push([column.label, ...chosen.map(unit => `${told(unit, column.name)} ${margin(unit, column.name)}`.trim())]);
  }
  const without = unit => `#${chosen.filter(each => each !== unit).map(each => each.key).join(",")}`;
  return element("article", {class: "comparison"}, element("h1", {tabindex: "-1"}, `${chosen.length} side by side`),
    element("p", {}, "Take away: ", between(chosen.map(unit => element("a", {href: without(unit)}, unit.title)))),
    grid("Side by side", head, rows),
    element("p", {class: "quiet"}, "± is the 90 % margin of error. Differences within the margins are not to be told from chance."));
}

// A code that has no page: said, with what is near.
function unknown(code) {
  const state = units.find(unit => unit.level === "state" && unit.key === code.slice(0, 2));
  const near = find(code.replace(/[-+]/g, " "), 6).found;
  const close = near.length ? near : units.filter(unit => unit.key.startsWith(code.slice(0, 4)) && /^\d+$/.test(code)).slice(0, 6);
  return element("article", {}, element("h1", {tabindex: "-1"}, "No page for this code"),
    element("p", {}, element("q", {}, code.length > 60 ? `${code.slice(0, 60)}…` : code), " is no Census code of a unit that is shown here. A state has two digits, a county five, a city seven, a town or township ten; small places that are on no list are not here."),
    close.length || state ? [element("p", {}, "Perhaps you mean:"), list([...close, ...(state && !close.includes(state) ? [state] : [])].map(unit => linkTo(unit)))] : null);
}
