/** Makes one animated PNG of screenshots: each later frame holds only the box that changed. */

import { readFileSync, writeFileSync } from "node:fs";
import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
const COLOURS = 256;
const CHANNELS = { 2: 3, 6: 4 };

/** Writes the frames, each `{ file, milliseconds }` and all of one size, as an endless loop. */
export function writeAnimation(target, frames) {
  const pictures = frames.map(({ file }) => decoded(readFileSync(file)));
  const { width, height } = pictures[0];
  if (pictures.some((one) => one.width !== width || one.height !== height)) {
    throw new Error("The frames of an animation must have one size");
  }
  const palette = commonest(pictures);
  const indexed = pictures.map((picture) => palette.indices(picture));
  let sequence = 0;
  const chunks = [
    chunk("IHDR", words([width, 4], [height, 4], [8, 1], [3, 1], [0, 3])),
    chunk("PLTE", palette.bytes),
    chunk("acTL", words([frames.length, 4], [0, 4])),
  ];
  indexed.forEach((pixels, number) => {
    const box = number ? changed(indexed[number - 1], pixels, width) : whole(width, height);
    const size = words([box.width, 4], [box.height, 4], [box.x, 4], [box.y, 4]);
    const time = words([frames[number].milliseconds, 2], [1000, 2], [0, 2]);
    chunks.push(chunk("fcTL", Buffer.concat([words([sequence++, 4]), size, time])));
    const data = deflateSync(rows(pixels, width, box), { level: 9 });
    chunks.push(
      number ? chunk("fdAT", Buffer.concat([words([sequence++, 4]), data])) : chunk("IDAT", data),
    );
  });
  writeFileSync(target, Buffer.concat([SIGNATURE, ...chunks, chunk("IEND", Buffer.alloc(0))]));
}

/** The pixels of a PNG as browsers write it: eight bits, no palette, not interlaced. */
function decoded(png) {
  const data = [];
  let header;
  for (let at = SIGNATURE.length; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const kind = png.toString("latin1", at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
    if (kind === "IHDR") {
      header = body;
    } else if (kind === "IDAT") {
      data.push(body);
    }
  }
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const channels = CHANNELS[header[9]];
  return { width, height, channels, pixels: unfiltered(Buffer.concat(data), width, channels) };
}

function unfiltered(data, width, channels) {
  const raw = inflateSync(data);
  const length = width * channels;
  const pixels = Buffer.alloc((raw.length / (length + 1)) * length);
  for (let from = 0, to = 0; from < raw.length; from += length + 1, to += length) {
    for (let n = 0; n < length; n += 1) {
      const left = n < channels ? 0 : pixels[to + n - channels];
      const above = to ? pixels[to + n - length] : 0;
      const corner = n < channels || !to ? 0 : pixels[to + n - length - channels];
      const guess = [0, left, above, (left + above) >> 1, nearest(left, above, corner)];
      pixels[to + n] = raw[from + 1 + n] + guess[raw[from]];
    }
  }
  return pixels;
}

/** What PNG calls the Paeth predictor. */
function nearest(left, above, corner) {
  const [a, b, c] = [above - corner, left - corner, left + above - 2 * corner].map(Math.abs);
  return a <= b && a <= c ? left : b <= c ? above : corner;
}

/** The colours that most pixels have; screens have few, and others become the nearest of these. */
function commonest(pictures) {
  const counts = new Map();
  for (const picture of pictures) {
    eachColour(picture, (colour) => counts.set(colour, (counts.get(colour) ?? 0) + 1));
  }
  const all = [...counts].sort((one, other) => other[1] - one[1]).map(([colour]) => colour);
  const kept = all.slice(0, COLOURS);
  const index = new Map(all.map((colour) => [colour, closest(kept, colour)]));
  return {
    bytes: words(...kept.map((colour) => [colour, 3])),
    indices(picture) {
      const found = Buffer.alloc(picture.width * picture.height);
      eachColour(picture, (colour, at) => {
        found[at] = index.get(colour);
      });
      return found;
    },
  };
}

function eachColour({ pixels, channels }, use) {
  for (let at = 0; at < pixels.length; at += channels) {
    use(pixels.readUIntBE(at, 3), at / channels);
  }
}

function closest(kept, colour) {
  let [best, least] = [0, Infinity];
  kept.forEach((one, number) => {
    const distance = [16, 8, 0]
      .map((shift) => ((one >> shift) & 255) - ((colour >> shift) & 255))
      .reduce((sum, part) => sum + part * part, 0);
    if (distance < least) {
      [best, least] = [number, distance];
    }
  });
  return best;
}

/** The smallest box around what differs; one pixel where nothing does. */
function changed(before, after, width) {
  let [left, right, top, bottom] = [width, -1, -1, -1];
  for (let at = 0; at < after.length; at += 1) {
    if (before[at] !== after[at]) {
      const x = at % width;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      bottom = Math.floor(at / width);
      top = top < 0 ? bottom : top;
    }
  }
  return right < 0
    ? { x: 0, y: 0, width: 1, height: 1 }
    : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

function whole(width, height) {
  return { x: 0, y: 0, width, height };
}

function rows(pixels, width, box) {
  const lines = [];
  for (let y = box.y; y < box.y + box.height; y += 1) {
    const start = y * width + box.x;
    lines.push(Buffer.from([0]), pixels.subarray(start, start + box.width));
  }
  return Buffer.concat(lines);
}

/** Numbers, each with its size in bytes. */
function words(...numbers) {
  const found = numbers.map(([value, size]) => {
    const word = Buffer.alloc(size);
    word.writeUIntBE(value, 0, size);
    return word;
  });
  return Buffer.concat(found);
}

function chunk(kind, data) {
  const body = Buffer.concat([Buffer.from(kind, "latin1"), data]);
  return Buffer.concat([words([data.length, 4]), body, words([crc32(body), 4])]);
}
