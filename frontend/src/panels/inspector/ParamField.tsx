/** One parameter: a field that says what it takes, with its default one click away. */

import { RotateCcw } from 'lucide-react';
import { useId, useState } from 'react';
import type { Param, Scalar } from '../../generated/protocol';
import { accepted, readValue } from '../../lib/catalogue';
import { setting, unitText } from '../../lib/format';
import { FIELD } from '../../ui/looks';
import { Switch } from '../../ui/Switch';

interface Props {
  param: Param;
  value: Scalar;
  /** Whether the engine still runs with another value. */
  pending?: boolean;
  /** Why the engine or the check does not take the value. */
  refused?: string | null;
  disabled?: boolean;
  /** `undefined` takes the default back. */
  onChange: (value: Scalar | undefined) => void;
}

/** A labelled field for one parameter of a block, an edge or a fault. */
export function ParamField({ param, value, pending, refused, disabled, onChange }: Props) {
  const id = useId();
  const [problem, setProblem] = useState<string | null>(null);
  const set = (next: Scalar | undefined) => {
    setProblem(null);
    onChange(next === param.default ? undefined : next);
  };
  const said = problem ?? refused ?? null;
  const off = param.nullable && value === null;
  return (
    <div className="py-1" data-pending={pending || undefined}>
      <div className="flex min-h-7 items-center gap-2">
        <label htmlFor={id} className="min-w-0 flex-1 text-xs leading-tight text-ink-2" title={param.help}>
          {param.label}
          {pending && <span className="ml-1.5 text-2xs text-accent">pending</span>}
        </label>
        {value !== param.default && !disabled && (
          <button
            type="button"
            aria-label={`Default of ${param.label}: ${String(param.default ?? 'off')}`}
            title={`Back to ${setting(param.default, param.unit)}`}
            data-testid={`default-${param.name}`}
            onClick={() => set(undefined)}
            className="grid size-6 place-items-center rounded text-ink-3 hover:bg-hover hover:text-ink"
          >
            <RotateCcw size={12} aria-hidden />
          </button>
        )}
        {param.nullable && (
          <Switch
            checked={!off}
            label={`${param.label}: on or off`}
            testId={`on-${param.name}`}
            disabled={disabled}
            onChange={(on) => set(on ? firstValue(param) : null)}
          />
        )}
        {off ? (
          <span className="w-24 text-right text-xs text-ink-3">off</span>
        ) : (
          <Control id={id} param={param} value={value} disabled={disabled} said={said} set={set} fail={setProblem} />
        )}
      </div>
      {said && (
        <p id={`${id}-said`} role="alert" className="mt-0.5 text-xs text-bad" data-testid={`problem-${param.name}`}>
          {said}
        </p>
      )}
    </div>
  );
}

/** What a parameter gets when it is switched on. */
function firstValue(param: Param): Scalar {
  if (param.default !== null) return param.default;
  if (param.kind === 'choice') return param.choices[0]?.value ?? '';
  if (param.kind === 'boolean') return true;
  if (param.kind === 'text') return '';
  const low = param.minimum ?? 0;
  const high = param.maximum ?? Number.POSITIVE_INFINITY;
  return Math.min(high, Math.max(low, 1));
}

interface ControlProps {
  id: string;
  param: Param;
  value: Scalar;
  disabled?: boolean;
  said: string | null;
  set: (value: Scalar) => void;
  fail: (problem: string | null) => void;
}

function Control({ id, param, value, disabled, said, set, fail }: ControlProps) {
  const testId = `param-${param.name}`;
  if (param.kind === 'boolean') {
    return <Switch checked={value === true} onChange={set} label={param.label} testId={testId} disabled={disabled} />;
  }
  if (param.kind === 'choice') {
    return (
      <select
        id={id}
        data-testid={testId}
        disabled={disabled}
        className={`${FIELD} w-40 py-1 text-xs`}
        value={String(value)}
        title={param.choices.find((choice) => choice.value === value)?.help}
        onChange={(event) => set(event.target.value)}
      >
        {param.choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.label}
          </option>
        ))}
      </select>
    );
  }
  return <Typed id={id} param={param} value={value} disabled={disabled} said={said} set={set} fail={fail} />;
}

/** A number or a text. It counts when it is left or confirmed with Enter; what is not accepted stays to be corrected. */
function Typed({ id, param, value, disabled, said, set, fail }: ControlProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const commit = () => {
    if (typed === null) return;
    const read = readValue(param, typed);
    if ('problem' in read) {
      fail(read.problem);
      return;
    }
    setTyped(null);
    fail(null);
    if (read.value !== value) set(read.value);
  };
  return (
    <span className="relative">
      <input
        id={id}
        data-testid={`param-${param.name}`}
        disabled={disabled}
        inputMode={param.kind === 'text' ? 'text' : 'decimal'}
        aria-invalid={said !== null}
        aria-describedby={said ? `${id}-said` : undefined}
        title={`${accepted(param)}. ${param.help}`}
        className={`${FIELD} num ${param.kind === 'text' ? 'w-40' : 'w-28 text-right'} py-1 text-xs ${param.unit ? 'pr-11' : ''}`}
        value={typed ?? String(value ?? '')}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === 'Enter') commit();
          if (event.key === 'Escape') {
            setTyped(null);
            fail(null);
          }
        }}
      />
      {param.unit && (
        <span className="pointer-events-none absolute right-2 top-1/2 max-w-9 -translate-y-1/2 truncate text-2xs text-ink-3">
          {unitText(param.unit)}
        </span>
      )}
    </span>
  );
}
