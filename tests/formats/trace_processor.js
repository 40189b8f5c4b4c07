// Feeds requests to Perfetto's trace processor, the WebAssembly module of its viewer.
// node trace_processor.js DIRECTORY_OF_THE_VIEWER REQUESTS REPLIES
const fs = require("fs");
const path = require("path");

const [viewer, requests, replies] = process.argv.slice(2).map((name) => path.resolve(name));
process.chdir(viewer);
const bundle = path.join(viewer, "engine_bundle.js");
// The bundle is made for a web worker, which it is told of by a message with a port.
global.self = { location: { href: `file://${bundle}` } };
const source = fs.readFileSync(bundle, "utf8");
new Function("require", "__dirname", "__filename", source)(require, viewer, bundle);

const received = [];
const port = { postMessage: (data) => received.push(Buffer.from(data)) };
self.onmessage({ data: { enginePort: port } });

// The module compiles in the background, and answers nothing before.
function send() {
  try {
    port.onmessage({ data: new Uint8Array(fs.readFileSync(requests)) });
  } catch (error) {
    if (received.length > 0 || Date.now() > deadline) throw error;
    setTimeout(send, 100);
    return;
  }
  fs.writeFileSync(replies, Buffer.concat(received));
  process.exit(0);
}
const deadline = Date.now() + 60000;
setTimeout(send, 2000);
