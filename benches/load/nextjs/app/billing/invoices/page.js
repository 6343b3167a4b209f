// The list of invoices, with the elements, classes and texts of src/app/pages/invoices.rs. Only
// server components: the page needs no code of its own in the browser.

import { redirect } from 'next/navigation';
import { Filters } from '../../../components/filters';
import { Icon } from '../../../components/icon';
import { Navigation } from '../../../components/navigation';
import { InvoiceTable } from '../../../components/table';
import { counted, money } from '../../../lib/format';
import { PAGE_ROWS, invoices } from '../../../lib/invoices';
import { viewer as signedIn } from '../../../lib/session';

function Totals({ totals: { currency, open, overdue } }) {
  return (
    <dl className="total-pair">
      <div>
        <dt>Open</dt>
        <dd>{money(open, currency)}</dd>
      </div>
      <div className={overdue > 0 ? 'tone-danger' : undefined}>
        <dt>Of that overdue</dt>
        <dd>{money(overdue, currency)}</dd>
      </div>
    </dl>
  );
}

function Pages({ page, pages }) {
  const link = (to) => (to < 1 || to > pages ? { 'aria-disabled': true, role: 'link' } : { href: `/billing/invoices${to > 1 ? `?page=${to}` : ''}` });
  return (
    <nav className="pages" aria-label="Pages">
      <a className="button" rel="prev" {...link(page - 1)}>
        <Icon glyph="previous" />
        <span>Previous</span>
      </a>
      <span className="pages-where">{`Page ${page} of ${pages}`}</span>
      <a className="button" rel="next" {...link(page + 1)}>
        <span>Next</span>
        <Icon glyph="next" />
      </a>
    </nav>
  );
}

export default async function Page({ searchParams }) {
  const viewer = await signedIn();
  if (!viewer) redirect('/login');
  const page = Math.max(1, Number.parseInt((await searchParams).page ?? '1', 10) || 1);
  const { rows, total, totals } = await invoices(viewer.customer, page);
  const owing = totals.filter((sum) => sum.open !== 0);
  const pages = Math.ceil(total / PAGE_ROWS);
  return (
    <>
      <title>Invoices · ApexMediation Billing</title>
      <p className="print-only print-head">{`${viewer.name} · ApexMediation Billing`}</p>
      <a className="skip-link" href="#main">Skip to the content</a>
      <div className="console">
        <Navigation viewer={viewer} />
        <main id="main" className="main" tabIndex={-1}>
          <header className="page-head">
            <h1>Invoices</h1>
            <div className="totals">
              {(owing.length > 0 ? owing : totals.slice(0, 1)).map((sum) => <Totals key={sum.currency} totals={sum} />)}
            </div>
          </header>
          <Filters />
          <InvoiceTable invoices={rows} />
          <div className="list-end">
            <p>{counted(total, 'invoice')}</p>
            {pages > 1 && <Pages page={page} pages={pages} />}
          </div>
          <p>
            <a href="/api/v1/billing/invoices.csv" rel="external">Download as CSV</a>
          </p>
          <p className="times-note">Times are in UTC, the time zone that bills are computed in.</p>
        </main>
      </div>
    </>
  );
}
