// Attention weights of a cell, read from the packed arrays of the page's data.

class Looks {
  constructor(data) {
    this.data = data;
    const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
    const where = bytes(data.where);
    this.where = new DataView(where.buffer);
    this.weight = bytes(data.weight);
  }

  has(puzzle) {
    return this.data.puzzles.includes(puzzle);
  }

  /** The recorded segment, from 0, that lies nearest to one. */
  nearest(segment) {
    return this.data.segments.reduce((best, one) => (Math.abs(one - segment) < Math.abs(best - segment) ? one : best));
  }

  /** [[position, weight]] of a cell, strongest first; positions below `slots` hold the puzzle's vector. */
  of(puzzle, segment, map, head, cell) {
    const [, segments, maps, heads, cells, ranks] = this.data.shape;
    const place = [this.data.puzzles.indexOf(puzzle), this.data.segments.indexOf(segment), map, head, cell];
    const start = place.reduce((sum, at, axis) => sum * [1, segments, maps, heads, cells][axis] + at, 0) * ranks;
    return Array.from({ length: ranks }, (_, rank) => [this.where.getUint16(2 * (start + rank), true), this.weight[start + rank] / 255]);
  }
}
