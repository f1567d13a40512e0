// node put-in-place.mjs NEW PLACE: puts a directory into the place of another, which is gone afterwards.
import { existsSync, renameSync, rmSync, statSync } from 'node:fs';

const [, , made, place] = process.argv;
// Throws where nothing was made, before anything is touched.
statSync(made);
const last = `${place}.last`;
rmSync(last, { recursive: true, force: true });
// Two steps, as no call of Node changes two directories at once; between them is no more than an instant.
if (existsSync(place)) renameSync(place, last);
renameSync(made, place);
rmSync(last, { recursive: true, force: true });
