/** All of lucide, in a chunk of its own. */
export { icons } from 'lucide-react';
