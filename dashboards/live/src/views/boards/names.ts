/* What a chart on a board is called. */
import type { Tile } from '../../lib/boards';
import { plainName } from '../../lib/format';
import { boardText } from '../../lib/text-boards';

/** What is drawn, without whose it is. */
export function titleTile(tile: Tile): string {
  if (tile.kind === 'hidden') return boardText.board.hidden;
  if (tile.title !== null && tile.title !== undefined) return tile.title;
  return tile.kind === 'channel' ? plainName(tile.channel) : boardText.kinds[tile.kind];
}

export const nameTile = (tile: Tile): string =>
  tile.kind === 'hidden' ? titleTile(tile) : `${titleTile(tile)}, ${tile.stream_id}`;
