/** `npm run build`: bundles the client and the server's libraries. */

import { buildLibraries } from "./lib/bundle.mjs";
import { buildClient } from "./lib/client.mjs";
import { main } from "./lib/run.mjs";

main(async () => {
  await buildClient();
  await buildLibraries();
});
