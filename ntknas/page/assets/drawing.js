// The drawing of a cell: nodes on a line, coloured edges, grey where nothing comes through.
const SVG = "http://www.w3.org/2000/svg";
const STEP = 92;
const MARGIN = 34;
const ARC = 33;

const svg = (tag, attributes = {}, text = null) => {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== null) made.textContent = text;
  return made;
};

const operationColour = (drawings, code) => {
  if (!(code & 1)) return "var(--dead)";
  const place = code >> 1;
  return place ? `var(--operation-${((place - 1) % 6) + 1})` : "var(--ink)";
};

const drawnCell = (drawings, cell) => {
  const { nodes, edges } = drawings.shapes[drawings.shape[cell]];
  const start = drawings.starts[cell];
  const code = (part) => drawings.codes[start + part];
  const middle = 8 + Math.max(14, ...edges.map(([, , bend]) => bend * ARC));
  const below = 8 + Math.max(26, ...edges.map(([, , bend]) => -bend * ARC));
  const last = Math.max(...nodes.map(([, x]) => x));
  const picture = svg("svg", {
    viewBox: `0 0 ${last * STEP + 2 * MARGIN} ${middle + below}`, class: "cell", role: "img",
    "aria-label": describedCell(drawings, cell),
  });
  edges.forEach(([source, target, bend], place) => {
    const [from, to] = [source, target].map((node) => MARGIN + nodes[node][1] * STEP);
    const top = middle - bend * 2 * ARC; // an arc reaches half as far as the point that bends it
    const isLive = code(nodes.length + place) & 1;
    picture.append(
      svg("path", {
        d: `M${from} ${middle} Q${(from + to) / 2} ${top} ${to} ${middle}`,
        fill: "none", stroke: operationColour(drawings, code(nodes.length + place)),
        "stroke-width": isLive ? 3 : 1.5, "stroke-dasharray": isLive ? "none" : "4 4",
      }),
    );
  });
  nodes.forEach(([name, x], place) => {
    const at = MARGIN + x * STEP;
    const lines = name.split("\n");
    const isShort = lines.length === 1 && name.length < 3;
    picture.append(svg("circle", { cx: at, cy: middle, r: isShort ? 13 : 7, class: "node", stroke: operationColour(drawings, code(place)) }));
    lines.forEach((line, number) => {
      const y = isShort ? middle + 4 : middle + 20 + 12 * number;
      picture.append(svg("text", { x: at, y, "text-anchor": "middle" }, shortened(line, 14)));
    });
  });
  return picture;
};

const partsOf = (drawings, cell) => {
  const { nodes, edges } = drawings.shapes[drawings.shape[cell]];
  const names = [...nodes.map(([name]) => name), ...edges.map(([a, b]) => `${nodes[a][0]} → ${nodes[b][0]}`)];
  return names.map((name, place) => [name, drawings.codes[drawings.starts[cell] + place]]).filter(([, code]) => code >> 1);
};

const describedCell = (drawings, cell) =>
  partsOf(drawings, cell)
    .map(([name, code]) => `${name}: ${drawings.operations[code >> 1]}${code & 1 ? "" : " (dead)"}`)
    .join(", ");

const legendOfCell = (drawings, cell) => {
  const parts = partsOf(drawings, cell);
  const seen = new Map(parts.filter(([, code]) => code & 1).map(([, code]) => [drawings.operations[code >> 1], code]));
  const items = [...seen].map(([name, code]) => {
    const mark = element("i", { class: "mark" });
    mark.style.background = operationColour(drawings, code);
    return element("li", {}, mark, name);
  });
  const dead = new Set(parts.filter(([, code]) => !(code & 1)).map(([, code]) => drawings.operations[code >> 1]));
  if (dead.size) {
    const mark = element("i", { class: "mark" });
    mark.style.background = "var(--dead)";
    items.push(element("li", {}, mark, `on no path: ${[...dead].join(", ")}`));
  }
  return element("ul", { class: "legend" }, ...items);
};
