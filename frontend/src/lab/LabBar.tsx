/** The bar on top: the way back, the steps, the database and its level. */

import { ArrowLeft, ChevronLeft, Dices, FastForward, Link2, Moon, RotateCcw, Sun, X } from 'lucide-react';
import { useState } from 'react';
import { setTheme, useUi } from '../state/ui';
import { IconButton } from '../ui/IconButton';
import { BUTTON, FIELD } from '../ui/looks';
import { compare, goTo, setDialect, setLevel, setShuffle, stepBy, total, useLab } from './store';

const SEEDS = 1_000;

/** The top bar. */
export function LabBar() {
  return (
    <header className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-1.5 border-b border-line bg-panel px-2.5 py-1.5">
      <a
        href="/"
        data-testid="to-playground"
        className="flex items-center gap-1 rounded-md px-1.5 py-1 text-sm text-ink-2 hover:bg-hover hover:text-ink"
      >
        <ArrowLeft size={15} aria-hidden /> Playground
      </a>
      <h1 className="text-sm font-semibold">Isolation lab</h1>
      <div className="mx-auto flex flex-wrap items-center gap-2">
        <Steps />
        <Shuffle />
      </div>
      <div className="flex flex-wrap items-center gap-2">
        <Database />
        <Compare />
        <Ends />
      </div>
    </header>
  );
}

function Steps() {
  const result = useLab((state) => state.result);
  const stopped = useLab((state) => state.problems.length > 0);
  const last = total(result);
  const step = Math.min(result?.step ?? 0, last);
  return (
    <div className="flex items-center gap-2" role="toolbar" aria-label="Steps">
      <div className="flex items-center rounded-lg border border-line-strong p-0.5">
        <IconButton
          label="Before the first step"
          keys="Home"
          testId="lab-reset"
          disabled={stopped || step === 0}
          onClick={() => goTo(0)}
          icon={<RotateCcw size={15} />}
        />
        <IconButton
          label="One step back"
          keys="←"
          testId="lab-back"
          disabled={stopped || step === 0}
          onClick={() => stepBy(-1)}
          icon={<ChevronLeft size={17} />}
        />
        <button
          type="button"
          data-testid="lab-step"
          disabled={stopped || step >= last}
          title="→"
          onClick={() => stepBy(1)}
          className="mx-0.5 flex h-7 items-center rounded-md bg-accent px-4 text-sm font-semibold text-accent-ink hover:brightness-110 disabled:opacity-50"
        >
          Step
        </button>
        <IconButton
          label="Run all"
          keys="End"
          testId="lab-run-all"
          disabled={stopped || step >= last}
          onClick={() => goTo(last)}
          icon={<FastForward size={15} />}
        />
      </div>
      <span className="num w-14 text-center text-xs text-ink-2" data-testid="lab-at" role="status">
        {step} / {last}
      </span>
    </div>
  );
}

function Shuffle() {
  const seed = useLab((state) => state.shuffle);
  const [typed, setTyped] = useState<string | null>(null);
  const take = () => {
    if (typed !== null && /^\d{1,15}$/.test(typed)) setShuffle(Number(typed));
    setTyped(null);
  };
  return (
    <div className="flex items-center gap-1">
      <button
        type="button"
        data-testid="lab-shuffle"
        className={BUTTON}
        title="The steps in another order, each transaction’s own kept"
        onClick={() => setShuffle(seed === null ? 1 : (seed % SEEDS) + 1)}
      >
        <Dices size={15} aria-hidden /> Shuffle
      </button>
      {seed !== null && (
        <>
          <input
            aria-label="Seed of the order"
            data-testid="lab-seed"
            inputMode="numeric"
            className={`${FIELD} num w-16`}
            value={typed ?? String(seed)}
            onChange={(event) => setTyped(event.target.value)}
            onBlur={take}
            onKeyDown={(event) => {
              if (event.key === 'Enter') take();
            }}
          />
          <IconButton
            label="Back to the script’s order"
            testId="lab-unshuffle"
            onClick={() => setShuffle(null)}
            icon={<X size={15} />}
          />
        </>
      )}
    </div>
  );
}

function Database() {
  const offer = useLab((state) => state.offer);
  const dialect = useLab((state) => state.dialect);
  const level = useLab((state) => state.level);
  return (
    <>
      <select
        aria-label="Database"
        data-testid="lab-dialect"
        className={FIELD}
        value={dialect}
        onChange={(event) => setDialect(event.target.value)}
      >
        {offer?.dialects.map((one) => (
          <option key={one.name} value={one.name}>
            {one.title}
          </option>
        ))}
      </select>
      <select
        aria-label="Isolation level of every BEGIN that names none"
        title="Isolation level of every BEGIN that names none"
        data-testid="lab-level"
        className={`${FIELD} uppercase`}
        value={level}
        onChange={(event) => setLevel(event.target.value)}
      >
        {offer?.levels.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </>
  );
}

function Compare() {
  const possible = useLab((state) => state.offer?.can_compare ?? false);
  const dialect = useLab((state) => state.dialect);
  const busy = useLab((state) => state.comparing);
  const stopped = useLab((state) => state.problems.length > 0);
  if (!possible) return null;
  return (
    <button
      type="button"
      data-testid="lab-compare"
      className={BUTTON}
      disabled={busy || stopped || dialect !== 'postgresql'}
      title="Take the same steps on the PostgreSQL that is configured"
      onClick={() => void compare()}
    >
      {busy ? 'Comparing …' : 'Compare with PostgreSQL'}
    </button>
  );
}

function Ends() {
  const dark = useUi((state) => state.dark);
  const [copied, setCopied] = useState(false);
  return (
    <div className="flex items-center">
      <IconButton
        label={copied ? 'Copied' : 'Copy a link to this schedule'}
        testId="lab-copy-link"
        onClick={() => {
          void navigator.clipboard?.writeText(location.href).then(() => setCopied(true));
        }}
        icon={<Link2 size={16} />}
      />
      <IconButton
        label={dark ? 'Light colours' : 'Dark colours'}
        testId="theme"
        onClick={() => setTheme(dark ? 'light' : 'dark')}
        icon={dark ? <Sun size={16} /> : <Moon size={16} />}
      />
    </div>
  );
}
