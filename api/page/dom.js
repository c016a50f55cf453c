// SPDX-License-Identifier: Apache-2.0

// el("a", {href: "#x", onclick: f}, "text", child, ...): null and false children are left out. Text never becomes markup.
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on"))
      node.addEventListener(name.slice(2), value);
    else if (name === "value")
      node.value = value;
    else if (value === true)
      node.setAttribute(name, "");
    else if (value !== undefined && value !== false && value !== null)
      node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

export const byId = (id) => document.getElementById(id);

// JSON text as nodes with marked keys, strings and numbers; larger texts stay plain.
export function coloured(json) {
  if (json.length > 200000)
    return [json];
  const nodes = [];
  let end = 0;
  for (const m of json.matchAll(/("(?:\\.|[^"\\])*")(\s*:)?|-?\b\d[\d.eE+-]*|\b(?:true|false|null)\b/g)) {
    nodes.push(json.slice(end, m.index), el("span", { class: m[2] ? "key" : m[1] ? "text" : "number" }, m[1] ?? m[0]), m[2] ?? "");
    end = m.index + m[0].length;
  }
  nodes.push(json.slice(end));
  return nodes;
}
