/** What can be done to a block or an edge while it runs. */

import { Zap } from 'lucide-react';
import { useState } from 'react';
import type { Fault, Scalar } from '../../generated/protocol';
import { settingOf, shownParams } from '../../lib/catalogue';
import { act } from '../../run/controller';
import { useSession } from '../../state/session';
import { BUTTON, PRIMARY } from '../../ui/looks';
import { ParamField } from './ParamField';

/** The faults of one kind of thing, each with its parameters, and the way to end them. */
export function Faults({ target, faults }: { target: string; faults: Fault[] }) {
  const [open, setOpen] = useState<string | null>(null);
  const running = useSession((state) => state.runId !== null && state.running !== null);
  const mayControl = useSession((state) => state.mayControl);
  if (!faults.length) return <p className="text-xs text-ink-2">Nothing can be done to this kind of block.</p>;
  return (
    <div className="flex flex-col gap-1.5">
      {!running && <p className="text-xs text-ink-2">Faults can be done once the drawing runs: press Play first.</p>}
      {faults.map((fault) => (
        <div key={fault.name}>
          <button
            type="button"
            data-testid={`fault-${fault.name}`}
            title={fault.help}
            disabled={!running || !mayControl}
            aria-expanded={fault.params.length ? open === fault.name : undefined}
            className={`${BUTTON} w-full`}
            onClick={() => {
              if (fault.params.length) setOpen(open === fault.name ? null : fault.name);
              else void act({ type: 'fault', target, fault: fault.name, params: {} });
            }}
          >
            <Zap size={13} aria-hidden className="text-warn" />
            {fault.label}
          </button>
          {open === fault.name && <FaultForm target={target} fault={fault} done={() => setOpen(null)} />}
        </div>
      ))}
      <button
        type="button"
        data-testid="clear-faults"
        className={`${BUTTON} mt-1`}
        disabled={!running || !mayControl}
        onClick={() => act({ type: 'clear_faults', target })}
      >
        End all faults here
      </button>
    </div>
  );
}

function FaultForm({ target, fault, done }: { target: string; fault: Fault; done: () => void }) {
  const [values, setValues] = useState<Record<string, Scalar>>({});
  const send = async () => {
    const params = Object.fromEntries(fault.params.map((param) => [param.name, settingOf(values, param)]));
    if (await act({ type: 'fault', target, fault: fault.name, params })) done();
  };
  return (
    <div className="mb-1 mt-1 rounded-lg border border-line bg-bg p-2.5">
      <p className="mb-1 text-xs text-ink-2">{fault.help}</p>
      {shownParams(fault.params, values).map((param) => (
        <ParamField
          key={param.name}
          param={param}
          value={settingOf(values, param)}
          onChange={(value) =>
            setValues((old) => ({ ...old, [param.name]: value === undefined ? param.default : value }))
          }
        />
      ))}
      <button type="button" className={`${PRIMARY} mt-1.5`} data-testid={`inject-${fault.name}`} onClick={send}>
        Do it now
      </button>
    </div>
  );
}
