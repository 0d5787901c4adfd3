// The map: Vega on canvas, drawn once; another layer is another colour a county.
for (const layer of facts.layers) layer.bins ??= facts.levels.county.values[layer.column].map(value => value ?? "-").join("");
const layers = new Map(facts.layers.map(layer => [layer.name, layer]));
const RATIO = 610 / 975, PAPER = "#ffffff", EDGE = "#8a8a8a";

function specification(width) {
  const outlines = JSON.parse(document.getElementById("outlines").textContent);
  const shapes = name => ({name, values: outlines, format: {type: "topojson", feature: name}});
  const shape = (name, encode) => ({type: "shape", from: {data: name}, transform: [{type: "geoshape", projection: "plane"}], ...encode});
  const missing = "bins[datum.id] == '-'", outlined = "outlined[datum.id] == '1'";
  return {
    $schema: "https://vega.github.io/schema/vega/v6.json",
    width, height: Math.round(width * RATIO), padding: 0, background: PAPER,
    signals: [{name: "bins", value: ""}, {name: "colours", value: []}, {name: "outlined", value: ""}],
    data: [shapes("counties"), shapes("states")],
    projections: [{name: "plane", type: "identity", fit: {signal: "data('states')"}, size: {signal: "[width, height]"}}],
    marks: [
      shape("counties", {encode: {
        enter: {cursor: {value: "pointer"}},
        update: {
          fill: {signal: `${missing} ? '${PAPER}' : colours[+bins[datum.id]]`},
          stroke: {signal: `${missing} ? '${EDGE}' : '${PAPER}'`},
          strokeWidth: {signal: `${missing} ? 0.9 : 0.3`},
          strokeDash: {signal: `${missing} ? [2, 2] : []`},
        },
      }}),
      shape("states", {interactive: false, encode: {update: {
        fill: {value: null},
        stroke: {signal: `${outlined} ? '#111111' : '${EDGE}'`},
        strokeWidth: {signal: `${outlined} ? 1.8 : 0.7`},
      }}}),
    ],
  };
}

let view = null, layer = facts.layers.find(each => each.name === facts.main) ?? facts.layers[0];

const countyAt = at => byKey.get(facts.levels.county.keys[at]);

async function drawMap() {
  const frame = document.getElementById("map");
  if (view || !frame.clientWidth) return;
  const result = await vegaEmbed(frame, specification(frame.clientWidth), {ast: true, renderer: "canvas", actions: false, tooltip: false});
  view = result.view;
  view.addEventListener("click", (event, item) => { if (item?.mark?.marktype === "shape") location.hash = countyAt(item.datum.id).key; });
  view.addEventListener("mousemove", (event, item) => {
    if (item?.mark?.marktype === "shape") document.getElementById("pointed").textContent = pointedAt(countyAt(item.datum.id));
  });
  addEventListener("resize", fit);
  await colour();
}

function fit() {
  const width = document.getElementById("map").clientWidth;
  if (view && width && width !== view.width()) view.width(width).height(Math.round(width * RATIO)).runAsync();
}

const pointedAt = unit => `${unit.title}. ${columns.get(layer.column).label}: ${told(unit, layer.column)}.`;

// Resolves when the counties have the colours of the layer.
async function colour() {
  if (view) await view.signal("bins", layer.bins).signal("colours", layer.colours).signal("outlined", layer.outlined).runAsync();
}

// Legend, text and colours of another layer.
async function showLayer(name) {
  layer = layers.get(name);
  document.getElementById("legend-title").textContent = layer.label;
  const row = (bin, look, text, count) => element("tr", {},
    element("td", {}, element("span", {class: look})),
    element("th", {scope: "row"}, text),
    element("td", {}, count ? element("button", {type: "button", "aria-label": `${formats[0].format(count)} counties, ${text}: show them in the table`, onclick: () => onlyBin(bin, text)}, formats[0].format(count)) : "0"));
  const rows = layer.labels.map((text, bin) => row(String(bin), "swatch", text, layer.counts[bin]));
  rows.forEach((each, bin) => { each.querySelector(".swatch").style.background = layer.colours[bin]; });
  rows.push(row("-", "swatch swatch-missing", "missing", layer.missing));
  if (layer.outlines) rows.push(element("tr", {}, element("td", {}, element("span", {class: "swatch swatch-outlined"})), element("th", {scope: "row"}, "state listed, outlined"), element("td", {}, `${layer.outlines} states`)));
  document.querySelector("#legend tbody").replaceChildren(...rows);
  document.getElementById("layer-text").textContent = layer.summary;
  columnsOfTable();
  await colour();
  document.dispatchEvent(new Event("layer-drawn"));
}
