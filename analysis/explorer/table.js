// The table: every fact of the map, and more, as DataTables has it.
const GROUPS = ["Main columns", ...new Set(facts.columns.map(column => column.group)), "All columns"];
const MAIN = [facts.main, "probability", "conf_low", "conf_high", "surprise", "population"];
const ROWS = {"": "Everything", county: "Counties", place: "Cities, towns and townships", state: "States", entry: "Entries without a government"};
const asText = DataTable.render.text();
const fixed = [
  {name: "name", title: "Name", display: unit => linkTo(unit, unit.name), sort: unit => unit.name, filter: unit => unit.search},
  {name: "kind", title: "Kind", display: unit => KINDS[unit.kind], sort: unit => KINDS[unit.kind]},
  {name: "state", title: "State", display: unit => unit.state, sort: unit => unit.state},
  {name: "key", title: "Code", display: unit => unit.level === "entry" ? "none" : unit.key, sort: unit => unit.key},
];

// What is missing comes last from the highest and first from the lowest: no number is invented for it.
const sortable = value => value ?? -Infinity;

const offered = [
  ...fixed.map(column => ({
    ...column, type: "string", searchable: column.name === "name",
    render: (_, type, unit) => type === "display" ? (column.name === "name" ? column.display(unit) : asText.display(column.display(unit))) : (type === "filter" && column.filter ? column.filter(unit) : column.sort(unit)),
  })),
  ...facts.columns.map(column => ({
    name: column.name, title: column.label, type: "num", searchable: false, className: column.choices ? "" : "number",
    render: (_, type, unit) => type === "display" ? asText.display(told(unit, column.name)) : sortable(valueOf(unit, column.name)),
  })),
  ...facts.columns.filter(column => column.margin !== undefined).map(column => ({
    name: `${column.name}_moe`, title: `${column.label}: 90 % margin of error`, type: "num", searchable: false, className: "number",
    render: (_, type, unit) => type === "display" ? asText.display(margin(unit, column.name) || "none") : sortable(facts.levels[unit.level].margins[column.name]?.[unit.at]),
  })),
];

let table = null, bin = null;

function drawTable() {
  DataTable.util.diacritics(text => typeof text === "string" ? folded(text) : text);
  document.getElementById("units").append(element("caption", {}, element("span", {class: "caption-text"}, "Every jurisdiction. A heading sorts; a name opens its page.")));
  table = new DataTable("#units", {
    data: units, columns: offered.map(({display, sort, filter, ...column}) => ({data: null, ...column, visible: isShown(column.name)})),
    order: [[2, "asc"], [0, "asc"]], autoWidth: false, deferRender: true, pageLength: 15, lengthMenu: [15, 50, 100, 500],
    layout: {topStart: "search", topEnd: "pageLength", bottomStart: "info", bottomEnd: "paging"},
    language: {search: "Search the table", lengthMenu: "_MENU_ rows a page", info: "_START_ to _END_ of _TOTAL_ rows", infoFiltered: "(of _MAX_)", infoEmpty: "No rows", zeroRecords: "No row has these words."},
  });
}

// Rows of one level alone, "" for all.
function onlyLevel(level) {
  table.search.fixed("level", level ? (text, unit) => unit.level === level : null).draw();
}

function isShown(name) {
  const group = document.getElementById("shown").value, own = name.replace(/_moe$/, "");
  if (fixed.some(column => column.name === name)) return true;
  if (group === "All columns" || name === layer.column) return true;
  return group === "Main columns" ? MAIN.includes(name) : columns.get(own).group === group;
}

function columnsOfTable() {
  if (!table) return;
  const changed = offered.map((column, at) => at).filter(at => table.column(at).visible() !== isShown(offered[at].name));
  for (const at of changed) table.column(at).visible(isShown(offered[at].name), false);
  if (bin !== null) everyBin();
  else if (changed.length) table.draw("page");
}

// The counties of one bin of the map alone.
function onlyBin(chosen, text) {
  bin = chosen;
  document.getElementById("only-bin").hidden = false;
  document.getElementById("only-bin-text").textContent = `Only counties: ${layer.label}: ${text}.`;
  table.search.fixed("bin", (text, unit) => unit.level === "county" && layer.bins[unit.at] === bin).draw();
  document.getElementById("table-title").scrollIntoView();
  document.getElementById("every-bin").focus();
}

function everyBin() {
  bin = null;
  document.getElementById("only-bin").hidden = true;
  table.search.fixed("bin", null).draw();
}

// A cell that no spreadsheet runs: an apostrophe before what would begin a formula, as in the downloads.
const FORMULA = /^'*([\t\r\n]|[\s\0-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20])/, PLAIN = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const safe = text => FORMULA.test(text) && !PLAIN.test(text) ? `'${text}` : text;
const quoted = text => /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

function saveRows() {
  const shown = offered.filter(column => isShown(column.name));
  const cell = (column, unit) => {
    const own = fixed.find(each => each.name === column.name);
    if (own) return own.sort(unit);
    return column.name.endsWith("_moe") ? margin(unit, column.name.replace(/_moe$/, "")) : told(unit, column.name);
  };
  const found = table.rows({search: "applied", order: "applied"}).data().toArray();
  const lines = [shown.map(column => column.title), ...found.map(unit => shown.map(column => cell(column, unit)))];
  const content = lines.map(line => line.map(text => quoted(safe(text))).join(",")).join("\n") + "\n";
  const link = element("a", {href: URL.createObjectURL(new Blob([content], {type: "text/csv"})), download: "explorer_rows.csv"});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
