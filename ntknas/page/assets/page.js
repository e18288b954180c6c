const VIEWS = { scores: ScoresView, results: ResultsView };

const start = async () => {
  const { sections } = await readData();
  await loadLibrary();
  const views = sections.map((section) => new VIEWS[section.kind](document.getElementById(section.id), section));
  const again = () => views.forEach((view) => view.drawAll());
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  window.matchMedia("(max-width: 639px)").addEventListener("change", again);
  document.documentElement.dataset.ready = "yes";
};

start().catch((error) => {
  const place = document.getElementById("failure");
  place.textContent = `This page could not be drawn: ${error.message}. It needs a browser of 2023 or later.`;
  place.hidden = false;
  throw error;
});
