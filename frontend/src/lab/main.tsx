import '../styles/index.css';
import { createRoot } from 'react-dom/client';
import { applyTheme } from '../state/ui';
import { LabPage } from './LabPage';
import { boot } from './store';

applyTheme();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', applyTheme);

const root = document.getElementById('root');
if (!root) throw new Error('The page has no element with id "root" to draw into.');
createRoot(root).render(<LabPage />);
void boot();
