// A table whose first column names its rows, with buttons for what can be done with each.
export default {
  template: `
    <div class="table text cards" tabindex="0" role="group" :aria-label="caption">
      <table>
        <caption>{{ caption }}</caption>
        <thead>
          <tr>
            <th v-for="column in columns" scope="col" :class="column.kind">{{ column.label }}</th>
            <td v-if="actions.length"></td>
          </tr>
        </thead>
        <tbody>
          <tr v-for="row in rows" :key="row.key" :class="row.mark">
            <component
              v-for="(column, k) in columns"
              :is="k ? 'td' : 'th'"
              :scope="k ? null : 'row'"
              :class="column.kind"
              :data-label="column.label"
            ><span>{{ row[column.name] }}</span></component>
            <td v-if="actions.length" class="actions">
              <template v-for="action in actions">
                <button
                  v-if="!row.without || !row.without.includes(action.name)"
                  type="button"
                  :aria-label="action.label + ': ' + row[columns[0].name]"
                  @click="$emit('act', { action: action.name, key: row.key })"
                >{{ action.label }}</button>
              </template>
            </td>
          </tr>
          <tr v-if="!rows.length"><td :colspan="columns.length + 1" class="none">{{ none }}</td></tr>
        </tbody>
      </table>
    </div>
  `,
  props: { caption: String, columns: Array, rows: Array, actions: Array, none: String },
  emits: ["act"],
};
