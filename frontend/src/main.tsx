import './styles/index.css';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import { boot, followAll } from './run/boot';
import { applyTheme } from './state/ui';

applyTheme();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', applyTheme);

const root = document.getElementById('root');
if (!root) throw new Error('The page has no element with id "root" to draw into.');
createRoot(root).render(<App />);
followAll();
void boot();
