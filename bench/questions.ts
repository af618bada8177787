/** Every question of the bench, in the order in which they are asked. Another one is a file and a line here. */
import { agentStart } from './agent-start.ts';
import { cancelled } from './cancel.ts';
import { cost } from './cost.ts';
import { fairness } from './fairness.ts';
import { growth } from './growth.ts';
import { largeValue } from './large-value.ts';
import { leptons } from './lepton.ts';
import { manyAgents } from './many-agents.ts';
import { mapItems } from './map.ts';
import { memory } from './memory-100k.ts';
import type { Question } from './question.ts';
import { recovery } from './recovery.ts';
import { reuse } from './reuse.ts';
import { slurmPilot } from './slurm-pilot.ts';
import { start } from './start-time.ts';
import { w1 } from './w1-chain.ts';
import { w2 } from './w2-fan.ts';
import { w3 } from './w3-diamonds.ts';
import { w4 } from './w4-latency.ts';
import { w5 } from './w5-million.ts';
import { w6 } from './w6-open.ts';
import { w7 } from './w7-values.ts';
import { w8 } from './w8-slots.ts';

export const questions: readonly Question[] = [
  w1,
  w2,
  w3,
  w4,
  w5,
  w6,
  w7,
  w8,
  memory,
  start,
  agentStart,
  recovery,
  cost,
  mapItems,
  cancelled,
  fairness,
  manyAgents,
  growth,
  largeValue,
  leptons,
  reuse,
  slurmPilot,
];
