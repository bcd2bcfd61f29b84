/** Designs as files: JSON in and out, the canvas as a picture. */

import type { Design, Intervention } from '../generated/protocol';
import { syntaxProblems } from '../lib/api';
import { completed, designProblems, locate, parseText } from '../lib/json-text';
import { drawing } from '../state/design';
import { interventions, scenarioOf, scriptOf, useSession } from '../state/session';
import { toast } from '../state/ui';
import { openDesign } from './boot';
import { runAsScenario } from './controller';

const FILE_BYTES_MAX = 4 * 1024 * 1024;

function fileName(extension: string): string {
  const stem = drawing()
    .name.toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  return `${stem || 'design'}.${extension}`;
}

function download(href: string, name: string): void {
  const link = document.createElement('a');
  link.href = href;
  link.download = name;
  link.click();
}

/** Saves the scenario (drawing, seed, what was done) as `manage.py simulate` takes it. */
export async function exportJson(): Promise<void> {
  const touched = interventions(useSession.getState().events).length > 0;
  const scenario = touched ? await runAsScenario() : scenarioOf(drawing());
  const blob = new Blob([`${JSON.stringify(scenario, null, 2)}\n`], { type: 'application/json' });
  const href = URL.createObjectURL(blob);
  download(href, fileName('json'));
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

/** The page's Latin typefaces as data, since a picture can't fetch any. */
async function embeddedFonts(): Promise<string> {
  const rules = [...document.styleSheets]
    .flatMap((sheet) => [...sheet.cssRules])
    .filter((rule) => rule instanceof CSSFontFaceRule)
    .filter((rule) => /-latin-wght-normal/.test(rule.cssText));
  const embedded = rules.map(async (rule) => {
    const address = rule.cssText.match(/url\("([^"]+)"\)/)?.[1];
    if (!address) return '';
    const base = rule.parentStyleSheet?.href ?? location.href;
    const blob = await (await fetch(new URL(address, base))).blob();
    return rule.cssText.replace(address, await asDataUrl(blob));
  });
  return (await Promise.all(embedded)).join('\n');
}

function asDataUrl(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

/** Saves the canvas as it looks now, figures and particles included. */
export async function exportPng(): Promise<void> {
  const { toPng } = await import('html-to-image');
  const canvas = document.querySelector<HTMLElement>('[data-testid=canvas] .react-flow');
  if (!canvas) throw new Error('There is no canvas to export.');
  const skipped = (node: HTMLElement) => !node.classList?.contains('react-flow__panel');
  const fontEmbedCSS = await embeddedFonts();
  const background = getComputedStyle(document.documentElement).getPropertyValue('--bg');
  download(
    await toPng(canvas, { filter: skipped, pixelRatio: 2, backgroundColor: background, fontEmbedCSS }),
    fileName('png'),
  );
  toast('Saved the canvas as a picture.');
}

/** Opens a design or a scenario from a file. Throws a sentence that says what is wrong and where. */
export async function importFile(file: File): Promise<void> {
  if (file.size > FILE_BYTES_MAX) {
    throw new Error(
      `${file.name} has ${file.size.toLocaleString('en')} bytes; at most ${FILE_BYTES_MAX.toLocaleString('en')} are accepted.`,
    );
  }
  await importText(await file.text(), file.name);
}

/** Opens a design or a scenario from text; `name` is what the text is called in an error. */
export async function importText(text: string, name: string): Promise<void> {
  const parsed = parseText(text);
  const [wrong] = await syntaxProblems(text);
  if (wrong || 'problem' in parsed) {
    throw new Error(`${name}: ${wrong?.message ?? ('problem' in parsed ? parsed.problem : '')}`);
  }
  const data = parsed.value as {
    design?: unknown;
    seed?: unknown;
    until_s?: unknown;
    speed?: unknown;
    interventions?: unknown;
  };
  const scenario = typeof data === 'object' && data !== null && 'design' in data;
  const design = scenario ? data.design : parsed.value;
  const [problem] = designProblems(design);
  if (problem) {
    const line = locate(text, problem);
    throw new Error(`${name}${line ? `, line ${line}` : ''}: ${problem.message}`);
  }
  openDesign(completed(design as Record<string, unknown>) as unknown as Design);
  if (!scenario) return;
  const { seed, until_s: untilS, speed, interventions: log } = data;
  if (Array.isArray(log)) useSession.setState({ script: scriptOf(log as Intervention[]) });
  if (typeof seed === 'number') useSession.setState({ seed });
  if (typeof untilS === 'number') useSession.setState({ untilS });
  if (typeof speed === 'number') useSession.setState({ speed });
}
