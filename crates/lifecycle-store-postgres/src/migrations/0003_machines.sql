-- The history of a machine, whatever the account and the spelling of its id in the records.

-- The reference without the account, in lower case. Two machines can have the same text, because some clouds
-- tell lower from upper case: the program compares the machines afterwards.
create function lifecycle.machine(reference text) returns text language sql immutable strict parallel safe as $$
    select lower(substring(reference from '[^@]*$'))
$$;

drop index lifecycle.event_subject;
create index event_machine on lifecycle.event (lifecycle.machine(subject)) where subject is not null;
drop index lifecycle.intent_instance;
create index intent_machine on lifecycle.intent (lifecycle.machine(instance));
