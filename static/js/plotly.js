// Plotly out of its package, when a page first needs it.
let library;

export function plotly(address, ready = () => {}) {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => { ready(window.Plotly); resolve(window.Plotly); };
    script.onerror = () => reject(new Error(`${address} could not be loaded`));
    document.head.append(script);
  });
  return library;
}
