// The query page: GraphiQL with our examples as its first tabs. No worker, no outside address.
import { createRoot } from "react-dom/client";
import { GraphiQL } from "graphiql";
import "graphiql/style.css";
import "./page.css";
import examples from "../examples.json";
import { variablesOf } from "../fallback/examples.js";

const isChinese = navigator.language.toLowerCase().startsWith("zh");
const language = isChinese ? "zh" : "en";
document.documentElement.lang = language;

async function post(body, headers) {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/graphql-response+json, application/json",
      "Accept-Language": language,
      ...headers,
    },
    body: JSON.stringify(body),
  });
  return response.json();
}

// Only the three fields of the protocol: GraphiQL may add others that a strict server refuses.
const fetcher = ({ query, variables, operationName }, options) =>
  post({ query, variables, operationName }, options?.headers);

const headers = JSON.stringify({ "Accept-Language": language }, null, 2);

async function firstTabs() {
  const ask = (query, variables) => post({ query, variables });
  const tab = async (example) => ({
    query: `# ${example.title[language]}\n${example.query}\n`,
    variables: JSON.stringify(await variablesOf(example, ask), null, 2),
    headers,
  });
  return Promise.all(examples.map(tab));
}

// GraphiQL 4 shows the first tab's query but not its variables on the very first visit, when it has
// stored nothing yet.
const isFirstVisit = () => localStorage.getItem("graphiql:tabState") === null;

firstTabs().then((tabs) =>
  createRoot(document.getElementById("page")).render(
    <GraphiQL
      fetcher={fetcher}
      defaultTabs={tabs}
      variables={isFirstVisit() ? tabs[0].variables : undefined}
      defaultHeaders={headers}
      defaultEditorToolsVisibility="variables"
      isHeadersEditorEnabled
    >
      <GraphiQL.Logo>
        <span className="logo">tillkeep</span>
      </GraphiQL.Logo>
    </GraphiQL>,
  ),
);
