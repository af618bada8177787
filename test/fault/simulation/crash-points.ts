/** Kills the hub when a record of a lattice inside has just been written: of that and what follows the disk keeps any first part. Not here: faults at a time (faults.ts). */
import type { WriteOp } from '../../../store/store.ts';
import { isTerminalElectron } from '../../../model/lifecycle.ts';
import { decodeElectron, keys } from '../../../store/records.ts';
import type { HubHost } from './hub-host.ts';
import { outerOf } from './inner-check.ts';
import type { CrashPoint, FaultPlan } from './plan.ts';

const LIVE = keys.allLive.start;
const ELECTRONS = keys.allElectrons.start;

/** `struck`: as a fault that was planned for that time. */
export function crashAtRecords(points: readonly CrashPoint[], hub: HubHost, struck: (fault: FaultPlan) => void): void {
  const counts = { begun: 0, electron: 0, ended: 0, reused: 0 };
  const { timeline } = hub.o.machine;
  const strike = ({ afterMs, ms }: CrashPoint): void => {
    timeline.after(afterMs, () => {
      if (!hub.alive) return;
      struck({ kind: 'kill-hub', at: timeline.now, ms, target: 'hub', amount: 0 });
      hub.kill('fault');
      timeline.after(ms, () => hub.start());
    });
  };
  const count = (record: CrashPoint['record']): void => {
    counts[record]++;
    for (const point of points) if (point.record === record && point.nth === counts[record]) strike(point);
  };
  const isInside = (id: string): boolean => outerOf(hub.disk.content, id) !== undefined;
  if (points.length === 0) return;
  hub.disk.listen((ops: readonly WriteOp[]) => {
    for (const op of ops) {
      if (op.op === 'value') continue;
      const { key } = op;
      if (key.startsWith(LIVE)) {
        if (isInside(key.slice(LIVE.length))) count(op.op === 'put' ? 'begun' : 'ended');
      } else if (op.op === 'put' && key.startsWith(ELECTRONS)) {
        const id = key.slice(ELECTRONS.length, key.lastIndexOf('/'));
        const { status } = decodeElectron(op.value);
        if (status === 'reused') count('reused');
        else if (isTerminalElectron(status) && isInside(id)) count('electron');
      }
    }
  });
}
