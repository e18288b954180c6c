// A table of any number of rows: sorted by any column, a page at a time.
// columns: {title, value(row), text(row), isNumber, hint}
class Table {
  constructor(place, columns, { size = 12, onpick = null, sort = null, name = "rows" } = {}) {
    Object.assign(this, { place, columns, size, onpick, name, page: 0, filter: "", rows: [] });
    this.order = sort; // [column, direction]
    this.body = element("tbody");
    this.head = element("tr");
    this.status = element("span", { class: "status", role: "status" });
    this.back = element("button", { type: "button", onclick: () => this.turn(-1) }, "‹ previous");
    this.on = element("button", { type: "button", onclick: () => this.turn(1) }, "next ›");
    this.extra = element("span", { class: "extra" });
    const table = element("table", {}, element("thead", {}, this.head), this.body);
    place.replaceChildren(
      element("div", { class: "scroll" }, table),
      element("div", { class: "pager" }, this.extra, this.status, this.back, this.on),
    );
  }

  show(rows, columns = this.columns) {
    Object.assign(this, { rows, columns, page: 0 });
    if (this.order && this.order[0] >= columns.length) this.order = null;
    this.draw();
  }

  turn(by) {
    this.page += by;
    this.draw();
  }

  sort(column) {
    const first = this.columns[column].isNumber ? -1 : 1;
    const again = this.order && this.order[0] === column;
    this.order = [column, again ? -this.order[1] : first];
    this.page = 0;
    this.draw();
  }

  sorted() {
    if (!this.order) return this.rows;
    const [column, direction] = this.order;
    const { value } = this.columns[column];
    const keyed = this.rows.map((row) => [value(row), row]);
    const isNone = (key) => key === null || key === undefined || Number.isNaN(key);
    keyed.sort(([a], [b]) => {
      if (isNone(a) || isNone(b)) return isNone(a) - isNone(b); // what has no value comes last
      return direction * (a < b ? -1 : a > b ? 1 : 0);
    });
    return keyed.map(([, row]) => row);
  }

  draw() {
    const pages = Math.max(1, Math.ceil(this.rows.length / this.size));
    this.page = Math.min(Math.max(this.page, 0), pages - 1);
    const shown = this.sorted().slice(this.page * this.size, (this.page + 1) * this.size);
    this.head.replaceChildren(...this.columns.map((column, place) => this.title(column, place)));
    this.body.replaceChildren(...shown.map((row) => this.line(row)));
    const first = this.rows.length ? this.page * this.size + 1 : 0;
    const last = this.page * this.size + shown.length;
    this.status.textContent = `${number(first)}–${number(last)} of ${number(this.rows.length)} ${this.name}`;
    this.back.hidden = this.on.hidden = pages === 1;
    this.back.disabled = this.page === 0;
    this.on.disabled = this.page === pages - 1;
  }

  title(column, place) {
    const isIt = this.order && this.order[0] === place;
    const direction = isIt ? (this.order[1] < 0 ? "descending" : "ascending") : "none";
    const button = element("button", { type: "button", onclick: () => this.sort(place) }, shortened(column.title, 40));
    return element(
      "th",
      { "aria-sort": direction, class: column.isNumber ? "number" : null, title: column.hint || column.title },
      button,
    );
  }

  line(row) {
    const cells = this.columns.map((column) => {
      const text = column.text(row);
      const title = String(text).length > 40 ? text : null;
      return element("td", { class: column.isNumber ? "number" : null, title }, shortened(text, 60));
    });
    const picks = this.onpick ? { class: "pick", onclick: () => this.onpick(row) } : {};
    return element("tr", picks, ...cells);
  }
}
