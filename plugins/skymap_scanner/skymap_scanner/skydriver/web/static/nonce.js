// Loaded before Bokeh, which makes style sheets of its own: the nonce of the page's policy lets them in.
"use strict";
(() => {
  const { nonce } = document.querySelector("script[nonce]") ?? {};
  const make = document.createElement.bind(document);
  document.createElement = (name, options) => {
    const element = make(name, options);
    if (nonce && String(name).toLowerCase() === "style") element.nonce = nonce;
    return element;
  };
})();
