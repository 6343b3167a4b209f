import { Icon } from './icon';

const ROLES = { publisher: 'Publisher', readonly: 'Read only', admin: 'Admin' };

function Brand() {
  return (
    <span className="brand">
      <svg className="brand-mark" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">
        <rect className="brand-ground" width="32" height="32" rx="8"></rect>
        <path
          className="brand-peak"
          d="M6.5 23 14.6 8.6a1.6 1.6 0 0 1 2.8 0L25.5 23M11.5 23l4.5-7.5 4.5 7.5"
          fill="none"
          strokeWidth="2.6"
          strokeLinecap="round"
          strokeLinejoin="round"
        ></path>
      </svg>
      <span className="brand-name">ApexMediation <span className="brand-part">Billing</span></span>
    </span>
  );
}

function Section({ href, glyph, title, current }) {
  return (
    <li>
      <a href={href} aria-current={current ? 'page' : undefined}>
        <Icon glyph={glyph} />
        <span>{title}</span>
      </a>
    </li>
  );
}

function ThemeButton({ value, glyph, title, pressed }) {
  return (
    <button name="theme" value={value} aria-pressed={pressed}>
      <Icon glyph={glyph} />
      <span>{title}</span>
    </button>
  );
}

function AccountMenu({ viewer }) {
  return (
    <div className="account">
      <button className="account-button" type="button" popoverTarget="account-menu">
        <Icon glyph="person" />
        <span className="account-who visually-hidden">
          <span className="visually-hidden">Account: </span>
          <span className="account-name" title={viewer.name}>{viewer.name}</span>
          <span className="account-email" title={viewer.email}>{viewer.email}</span>
        </span>
      </button>
      <div id="account-menu" className="account-menu" popover="auto" role="group" aria-label="Account">
        <dl className="account-facts">
          <div>
            <dt>Signed in as</dt>
            <dd>{viewer.email}</dd>
          </div>
          <div>
            <dt>Customer</dt>
            <dd>{viewer.name}</dd>
          </div>
          <div>
            <dt>Role</dt>
            <dd>{ROLES[viewer.role]}</dd>
          </div>
        </dl>
        <form className="theme-switch" method="post" action="/theme" aria-label="Theme">
          <input type="hidden" name="next" value="/billing/invoices" />
          <ThemeButton value="system" glyph="system" title="System" pressed="true" />
          <ThemeButton value="light" glyph="sun" title="Light" pressed="false" />
          <ThemeButton value="dark" glyph="moon" title="Dark" pressed="false" />
        </form>
        <a className="button wide" href="/account" rel="external">
          <Icon glyph="person" />
          <span>Your account</span>
        </a>
        <form method="post" action="/api/v1/auth/logout">
          <button className="button wide">
            <Icon glyph="signOut" />
            <span>Sign out</span>
          </button>
        </form>
      </div>
    </div>
  );
}

export function Navigation({ viewer }) {
  return (
    <header className="navigation">
      <a className="brand-link" href="/billing/usage"><Brand /></a>
      <nav className="sections" aria-label="Sections">
        <ul>
          <li className="sections-title" aria-hidden="true">Billing</li>
          <Section href="/billing/usage" glyph="usage" title="Usage" />
          <Section href="/billing/invoices" glyph="invoice" title="Invoices" current />
          <Section href="/billing/settings" glyph="settings" title="Settings" />
        </ul>
      </nav>
      <AccountMenu viewer={viewer} />
    </header>
  );
}
