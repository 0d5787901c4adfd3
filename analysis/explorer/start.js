// What the address asks for is shown: #17031, ?geoid=17031, #17031,06037 side by side; nothing: map and table.
const siteTitle = document.title;
let firstShown = true;

function asked() {
  const hash = location.hash.slice(1), query = new URLSearchParams(location.search).getAll("geoid").join();
  const target = document.getElementById(hash); // a place on this page, such as a skip link's
  if (target?.closest("#overview")) return [];
  let text = target ? query : hash || query;
  try { text = decodeURIComponent(text); } catch { /* as it stands */ }
  return [...new Set(text.split(/[,;]/).map(code => code.trim()).filter(Boolean))];
}

function actions(chosen, over) {
  const codesNow = chosen.map(unit => unit.key), input = element("input", {id: "add", type: "search", autocomplete: "off", spellcheck: "false"}), hits = element("ul", {class: "hits"}), said = element("p", {role: "status"});
  suggest(input, hits, said, unit => `#${[...codesNow, unit.key].join(",")}`, unit => !codesNow.includes(unit.key));
  return element("div", {class: "actions"}, element("p", {}, element("a", {href: "#overview"}, "Back to map and table"), " ", element("button", {type: "button", onclick: () => print()}, "Print this page")),
    chosen.length < MOST ? element("search", {}, element("label", {for: "add"}, "Compare with"), " ", input, said, hits) : element("p", {}, `${MOST} at most are compared.`, over.length ? [" Left out: ", ...between(over.map(unit => linkTo(unit))), "."] : ""));
}

function suggest(input, hits, said, address = unit => `#${unit.key}`, keep = () => true) {
  input.addEventListener("input", () => {
    const {found, all} = find(input.value), kept = found.filter(keep);
    hits.replaceChildren(...kept.map(unit => element("li", {}, element("a", {href: address(unit)}, unit.title), ` ${KINDS[unit.kind].toLowerCase()}`)));
    said.textContent = !input.value.trim() ? "" : all ? `${kept.length} of ${all} found` : "Nothing has these words.";
  });
  input.addEventListener("keydown", event => {
    if (event.key === "Enter" && hits.querySelector("a")) { event.preventDefault(); location.hash = hits.querySelector("a").hash; input.value = ""; hits.replaceChildren(); said.textContent = ""; }
  });
}

async function route() {
  const target = document.getElementById(location.hash.slice(1)), overview = document.getElementById("overview"), pages = document.getElementById("pages");
  if (!firstShown && target && !overview.contains(target)) return; // it is in sight as it is
  const wanted = asked(), known = [...new Set(wanted.map(unitOf).filter(Boolean))];
  const chosen = known.slice(0, MOST), lost = wanted.filter(code => !unitOf(code));
  overview.hidden = document.getElementById("top").hidden = wanted.length > 0;
  pages.hidden = !wanted.length;
  if (wanted.length) {
    const body = chosen.length > 1 ? [comparison(chosen)] : chosen.map(pageOf);
    pages.replaceChildren(actions(chosen, known.slice(MOST)), ...lost.map(unknown), ...body);
    document.title = `${chosen.map(unit => unit.title).join(" and ") || "Unknown code"} – ${siteTitle}`;
  } else {
    document.title = siteTitle;
    await drawMap();
    fit();
  }
  if (!firstShown) {
    (wanted.length ? pages.querySelector("h1") : target && target !== overview ? target : document.getElementById("find")).focus();
    if (wanted.length || target === overview || !target) scrollTo(0, 0);
  }
  firstShown = false;
}

// A page is printed on one sheet, Letter or A4: what is longer is made smaller.
const SHEET = {width: "184mm", height: 255 * 96 / 25.4};

function fitSheet() {
  const article = document.querySelector(".jurisdiction");
  document.documentElement.classList.add("as-printed");
  if (!article) return;
  article.style.width = SHEET.width;
  let zoom = 1;
  while (zoom > 0.5 && article.getBoundingClientRect().height > SHEET.height) article.style.zoom = zoom -= 0.02;
  article.style.width = "";
}

function unfitSheet() {
  document.documentElement.classList.remove("as-printed");
  document.querySelector(".jurisdiction")?.removeAttribute("style");
}

const options = (select, pairs) => select.replaceChildren(...pairs.map(([value, text]) => element("option", {value}, text)));

async function start() {
  const byGroup = Map.groupBy ? Map.groupBy(facts.layers, each => each.group) : facts.layers.reduce((all, each) => all.set(each.group, [...(all.get(each.group) ?? []), each]), new Map());
  const select = document.getElementById("layer");
  select.replaceChildren(...[...byGroup].map(([label, members]) => element("optgroup", {label}, members.map(each => element("option", {value: each.name}, each.label)))));
  select.value = layer.name;
  options(document.getElementById("rows"), Object.entries(ROWS));
  options(document.getElementById("shown"), GROUPS.map(group => [group, group]));
  document.getElementById("app").hidden = false;
  suggest(document.getElementById("find"), document.getElementById("found"), document.getElementById("found-count"));
  drawTable();
  await showLayer(layer.name);
  select.addEventListener("change", () => showLayer(select.value));
  document.getElementById("rows").addEventListener("change", event => onlyLevel(event.target.value));
  document.getElementById("shown").addEventListener("change", columnsOfTable);
  document.getElementById("every-bin").addEventListener("click", everyBin);
  document.getElementById("save").addEventListener("click", saveRows);
  addEventListener("hashchange", route);
  addEventListener("beforeprint", fitSheet);
  addEventListener("afterprint", unfitSheet);
  await route();
  performance.mark("ready");
  document.documentElement.dataset.ready = "yes";
}

start();
