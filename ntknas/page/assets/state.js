// What is chosen in a section, and who wants to know when it changes.
class State {
  constructor(values) {
    Object.assign(this, values);
    this.listeners = [];
  }

  when(names, listener) {
    this.listeners.push([names, listener]);
  }

  set(changes) {
    const changed = Object.keys(changes).filter((name) => this[name] !== changes[name]);
    Object.assign(this, changes);
    this.listeners
      .filter(([names]) => names.some((name) => changed.includes(name)))
      .forEach(([, listener]) => listener());
  }
}

// The numbers of one population: columns that are those of all cells are taken from these.
class Population {
  constructor(section, data) {
    Object.assign(this, { section, data, places: data.places, size: data.places.length });
    this.columns = new Map();
  }

  column(kind, number) {
    const key = `${kind}${number}`;
    if (!this.columns.has(key)) this.columns.set(key, this.find(kind, number));
    return this.columns.get(key);
  }

  find(kind, number) {
    const own = this.data[kind][number];
    if (own !== "same") return own; // null for a ranking that these cells lack
    const whole = this.section.populations[0][kind][number];
    return whole && this.section.populations[0] !== this.data ? Float64Array.from(this.places, (at) => whole[at]) : whole;
  }

  // Places from 1 for the best, the mean of tied ones.
  ranks(kind, number, isHigherBetter) {
    const key = `ranks ${kind}${number}`;
    if (this.columns.has(key)) return this.columns.get(key);
    const values = this.column(kind, number);
    const ranks = values && new Float64Array(values.length).fill(NaN);
    if (values) {
      const known = [...values.keys()].filter((at) => !Number.isNaN(values[at]));
      known.sort((a, b) => (isHigherBetter ? values[b] - values[a] : values[a] - values[b]) || a - b);
      for (let first = 0; first < known.length; ) {
        let end = first;
        while (end < known.length && values[known[end]] === values[known[first]]) end += 1;
        for (let at = first; at < end; at += 1) ranks[known[at]] = (first + 1 + end) / 2;
        first = end;
      }
    }
    this.columns.set(key, ranks);
    return ranks;
  }

  cell(at) {
    return this.section.cells[this.places[at]];
  }

  text(at) {
    return this.section.texts[this.places[at]] || "";
  }
}
