/** A block names its icon as lucide does. The usual ones are in the bundle, any other is fetched when it is first needed. */

import {
  AppWindow,
  Box,
  Cog,
  Cpu,
  Database,
  Funnel,
  Globe,
  HardDrive,
  Layers,
  type LucideIcon,
  Mailbox,
  Network,
  Scale,
  Server,
  ShieldCheck,
  Split,
  Users,
  Zap,
} from 'lucide-react';
import { useEffect, useState } from 'react';

const BUNDLED: Record<string, LucideIcon> = {
  'app-window': AppWindow,
  box: Box,
  cog: Cog,
  cpu: Cpu,
  database: Database,
  funnel: Funnel,
  globe: Globe,
  'hard-drive': HardDrive,
  layers: Layers,
  mailbox: Mailbox,
  network: Network,
  scale: Scale,
  server: Server,
  'shield-check': ShieldCheck,
  split: Split,
  users: Users,
  zap: Zap,
};

function bundled(name: string): LucideIcon | undefined {
  return BUNDLED[name.replaceAll(/([a-z])([A-Z])/g, '$1-$2').toLowerCase()];
}

function pascal(name: string): string {
  return name.replaceAll(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The icon called `name`; a box until it is there, and where lucide has none of that name. */
export function BlockIcon({ name, size = 16 }: { name: string; size?: number }) {
  const [fetched, setFetched] = useState<{ name: string; icon: LucideIcon } | null>(null);
  const known = bundled(name);
  useEffect(() => {
    if (known) return;
    let wanted = true;
    // Where the chunk can't be fetched the box stays: an icon is not worth an error.
    import('./all-icons').then(
      ({ icons }) => {
        const icon = (icons as Record<string, LucideIcon>)[pascal(name)];
        if (wanted && icon) setFetched({ name, icon });
      },
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [name, known]);
  const Icon = known ?? (fetched?.name === name ? fetched.icon : Box);
  return <Icon size={size} aria-hidden strokeWidth={1.75} />;
}
