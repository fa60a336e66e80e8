{% test accepted_range(model, column_name, min_value=none, max_value=none, inclusive=true) %}
select {{ column_name }} from {{ model }}
where false
{% if min_value is not none %} or not ({{ column_name }} >{{ '=' if inclusive }} {{ min_value }}){% endif %}
{% if max_value is not none %} or not ({{ column_name }} <{{ '=' if inclusive }} {{ max_value }}){% endif %}
{% endtest %}

{% test expression_is_true(model, expression, column_name=none) %}
select 1 as one from {{ model }} where not ({{ column_name if column_name else '' }} {{ expression }})
{% endtest %}

{% test unique_combination_of_columns(model, combination_of_columns) %}
select {{ combination_of_columns | join(', ') }}, count(*) as n from {{ model }}
group by {{ combination_of_columns | join(', ') }} having count(*) > 1
{% endtest %}

{% test not_null_proportion(model, column_name, at_least, at_most=1) %}
select share from (select avg(case when {{ column_name }} is null then 0.0 else 1.0 end) as share from {{ model }}) as s
where share < {{ at_least }} or share > {{ at_most }}
{% endtest %}

{% test at_least_one(model, column_name) %}
select n from (select count({{ column_name }}) as n from {{ model }}) as c where n = 0
{% endtest %}

{% test not_constant(model, column_name) %}
select n from (select count(distinct {{ column_name }}) as n from {{ model }}) as c where n = 1
{% endtest %}

{% test not_empty_string(model, column_name, trim_whitespace=true) %}
select {{ column_name }} from {{ model }}
where {{ 'trim(' ~ column_name ~ ')' if trim_whitespace else column_name }} = ''
{% endtest %}

{% test not_accepted_values(model, column_name, values) %}
select distinct {{ column_name }} from {{ model }}
where {{ column_name }} in ({% for v in values %}'{{ v }}'{{ ',' if not loop.last }}{% endfor %})
{% endtest %}

{% test relationships_where(model, column_name, to, field, from_condition='true', to_condition='true') %}
select child.{{ column_name }} from (select * from {{ model }} where {{ from_condition }}) as child
where child.{{ column_name }} is not null and child.{{ column_name }} not in
    (select {{ field }} from {{ to }} where {{ field }} is not null and {{ to_condition }})
{% endtest %}

{% test sequential_values(model, column_name, interval=1) %}
with steps as (select {{ column_name }} as v, lag({{ column_name }}) over (order by {{ column_name }}) as p from {{ model }})
select v from steps where p is not null and v - p <> {{ interval }}
{% endtest %}

{% test mutually_exclusive_ranges(model, lower_bound_column, upper_bound_column, partition_by=none, gaps='allowed') %}
with steps as (
    select {{ lower_bound_column }} as low, {{ upper_bound_column }} as high,
           lead({{ lower_bound_column }}) over ({{ 'partition by ' ~ partition_by if partition_by }}
                                               order by {{ lower_bound_column }}, {{ upper_bound_column }}) as next_low
    from {{ model }}
)
select * from steps
where low is null or high is null or low >= high
   or (next_low is not null and not (high {{ {'allowed': '<=', 'not_allowed': '=', 'required': '<'}[gaps] }} next_low))
{% endtest %}

{% test equal_rowcount(model, compare_model) %}
select 1 as one where (select count(*) from {{ model }}) <> (select count(*) from {{ compare_model }})
{% endtest %}
