/** What sampled answers were (not modified, stale, absent): frames tell it hop by hop, spans don't, so it is kept for the trace panel. */

import { type Frame, hopAt, hopCount } from './frames';
import { live } from './live';

const KEPT_MAX = 20_000;

/** The looks of answers that were not ordinary, by request, connection and the moment the answer left. */
export class Answers {
  private looks = new Map<string, number>();

  /** Takes over what a frame tells; `edges` names the connections. */
  take(frame: Frame, edges: readonly string[]): void {
    for (let index = 0; index < hopCount(frame); index++) {
      const hop = hopAt(frame, index);
      if (!hop.reply || !hop.look) continue;
      this.looks.set(`${hop.trace} ${edges[hop.edge]} ${hop.left}`, hop.look);
    }
    for (const oldest of this.looks.keys()) {
      if (this.looks.size <= KEPT_MAX) break;
      this.looks.delete(oldest);
    }
  }

  /** The look of the answer that left at `replied` (ns) on `edge`; 0 for an ordinary one. */
  of(trace: number, edge: string, replied: number): number {
    return this.looks.get(`${trace} ${edge} ${replied}`) ?? 0;
  }
}

/** The answers of the run that the page shows. */
export const answers = new Answers();
live.onFrame((frame) => answers.take(frame, live.layout?.edges ?? []));
